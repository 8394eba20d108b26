/** Shopping carts. */
import { Decimal } from "decimal.js";

export interface Item {
  price: Decimal;
  /** What it weighs, in kg. */
  weigh(): number;
}

export type Items = readonly Item[];

enum Carrier {
  Post,
  Courier = "courier",
}

namespace Shop {
  /** What a customer is about to buy. */
  @sealed
  export abstract class Cart<T extends Item> {
    constructor(private readonly items: T[]) {}

    // Net of tax.
    get total(): Decimal {
      return this.items.reduce((sum, item) => sum.add(item.price), new Decimal(0));
    }

    abstract ship(carrier: Carrier): Promise<void>;
  }
}

export function open(name: string): Shop.Cart<Item>;
export function open(name: string, create = false): Shop.Cart<Item> {
  return load(name) ?? fail(name);
}

declare function load(name: string): any;
