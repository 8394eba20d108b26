#ifndef CART_H
#define CART_H

struct cart;

/* The sum of all prices, with the value-added tax. */
double cart_total(const struct cart *cart);

char **cart_names(const struct cart *cart, size_t *count);

#endif
