// Package shop sells things.
package shop

import "fmt"

const VAT = 0.19

// Cart is what a customer is about to buy.
type Cart struct {
	Items []Item
}

type Priced interface {
	// Total is the sum of all prices.
	Total() float64
}

type (
	Item struct{ Price float64 }
	Rate func(weight int) float64
)

// Total is the sum of all prices, with the value-added tax.
func (c *Cart) Total() float64 {
	sum := 0.0
	for _, item := range c.Items {
		sum += item.Price
	}
	return sum * (1 + VAT)
}

func Open(name string) (*Cart, error) {
	if name == "" {
		return nil, fmt.Errorf("no name")
	}
	return load(name)
}
