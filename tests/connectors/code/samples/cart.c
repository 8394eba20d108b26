/* Shopping carts. */
#include <stdlib.h>

#define VAT 0.19
#define TAXED(price) ((price) * (1 + VAT))

/* What a customer is about to buy. */
struct cart {
    struct item *items;
    size_t count;
};

typedef struct {
    double price;
} item_t;

typedef enum carrier { POST, COURIER } carrier_t;

double cart_total(const struct cart *cart);

/*
 * The sum of all prices, with the value-added tax.
 */
double cart_total(const struct cart *cart)
{
    double sum = 0;
    for (size_t i = 0; i < cart->count; i++) {
        sum += item_price(&cart->items[i]);
    }
    return TAXED(sum);
}

static struct cart *cart_open(const char *name)
{
    struct cart *cart = malloc(sizeof *cart);
    return cart ? cart->load(cart, name) : NULL;
}
