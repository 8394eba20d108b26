<?php

namespace Example\Shop;

use DateTime;

const VAT = 0.19;

/**
 * What a customer is about to buy.
 */
final class Cart implements Priced
{
    public const CURRENCY = 'EUR';

    public function __construct(private array $items)
    {
    }

    /** The sum of all prices, with the value-added tax. */
    #[Pure]
    public function total(): float
    {
        $sum = 0.0;
        foreach ($this->items as $item) {
            $sum += $item->price();
        }
        return round($sum * (1 + VAT), 2);
    }

    public static function open(string $name): self
    {
        return new Cart(Store::load($name));
    }
}

interface Priced
{
    public function total(): float;
}

function parcel(Cart $cart): array
{
    return array_map('strtolower', $cart->names());
}
?>
<p>Thank you, <?= $name ?>.</p>
