using System;
using System.Collections.Generic;

namespace Example.Shop
{
    /// <summary>What a customer is about to buy.</summary>
    [Serializable]
    public class Cart : IPriced
    {
        private const decimal Vat = 0.19m;
        private readonly List<Item> items = new List<Item>();

        public Cart(IEnumerable<Item> items)
        {
            this.items.AddRange(items);
        }

        /// <summary>The sum of all prices, with the value-added tax.</summary>
        public decimal Total
        {
            get { return Sum() * (1 + Vat); }
        }

        public int Count => items.Count;

        private decimal Sum()
        {
            decimal sum = 0;
            foreach (var item in items)
            {
                sum += item.Price;
            }
            return sum;
        }
    }

    public interface IPriced { decimal Total { get; } }
    public enum Carrier { Post, Courier }
    public record Item(decimal Price);
}
