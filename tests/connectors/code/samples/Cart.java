package com.example.shop;

import java.math.BigDecimal;
import java.util.List;

/**
 * What a customer is about to buy.
 */
public class Cart implements Priced {
    private static final BigDecimal VAT = new BigDecimal("0.19");
    private final List<Item> items;

    public Cart(List<Item> items) {
        this.items = items;
    }

    /** The sum of all prices, with the value-added tax. */
    @Override
    public BigDecimal total() {
        BigDecimal sum = BigDecimal.ZERO;
        for (Item item : items) {
            sum = sum.add(item.price());
        }
        return sum.multiply(VAT.add(BigDecimal.ONE));
    }

    enum Carrier { POST, COURIER }

    interface Rate {
        BigDecimal of(int weight);
    }

    record Item(BigDecimal price) {}
}
