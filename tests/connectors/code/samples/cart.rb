# frozen_string_literal: true

require "bigdecimal"

module Shop
  VAT = BigDecimal("0.19")

  # What a customer is about to buy.
  class Cart
    attr_reader :items

    def initialize(items)
      @items = items
    end

    # The sum of all prices, with the value-added tax.
    def total
      sum = items.sum { |item| item.price }
      sum * (1 + VAT)
    end

    def self.open(name)
      new(Store.load(name))
    end
  end

  class Empty < StandardError; end
end
