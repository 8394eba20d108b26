//! Shopping carts.

use std::fmt;

const VAT: f64 = 0.19;

/// What a customer is about to buy.
#[derive(Debug, Clone)]
pub struct Cart<T> {
    items: Vec<T>,
}

pub trait Priced {
    fn price(&self) -> f64;
}

impl<T: Priced> Cart<T> {
    /// The sum of all prices, with the value-added tax.
    #[must_use]
    pub fn total(&self) -> f64 {
        let sum: f64 = self.items.iter().map(|item| item.price()).sum();
        sum * (1.0 + VAT)
    }
}

impl<T> fmt::Display for Cart<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} items", self.items.len())
    }
}

pub enum Carrier {
    Post,
    Courier(String),
}

macro_rules! cart {
    ($($item:expr),*) => { Cart { items: vec![$($item),*] } };
}

mod tests {
    #[test]
    fn empty() {
        assert_eq!(super::open("x").total(), 0.0);
    }
}
