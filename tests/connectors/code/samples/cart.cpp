// Shopping carts.
#include <string>
#include <vector>

namespace shop {

/// What a customer is about to buy.
template <typename T>
class Cart : public Priced {
public:
    explicit Cart(std::vector<T> items) : items_(std::move(items)) {}
    virtual ~Cart() = default;

    double total() const;

    // Adds one.
    Cart& operator+=(const T& item) {
        items_.push_back(item);
        return *this;
    }

private:
    std::vector<T> items_;
};

enum class Carrier { Post, Courier };

using Carts = std::vector<Cart<int>>;

}  // namespace shop

/** The sum of all prices, with the value-added tax. */
template <typename T>
double shop::Cart<T>::total() const {
    double sum = 0;
    for (const auto& item : items_) sum += item.price();
    return sum * (1 + vat::rate());
}

std::string* open(const char* name) {
    return new std::string(name);
}
