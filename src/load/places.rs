//! The pretended shop: its routes, pages, components, faults and people.
//!
//! Tables for both generators; nothing here acts.

/// A route of the shop's API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    /// `{}` stands for an id.
    pub(super) path: &'static str,
    pub(super) median_ms: f64,
}

const fn route(method: &'static str, path: &'static str, median_ms: f64) -> Route {
    Route { method, path, median_ms }
}

pub(super) const ORIGIN: &str = "http://localhost:5173";

pub(super) const ROUTES: [Route; 30] = [
    route("GET", "/api/products", 80.0),
    route("GET", "/api/products/{}", 40.0),
    route("GET", "/api/products/{}/reviews", 95.0),
    route("POST", "/api/products/{}/reviews", 150.0),
    route("GET", "/api/products/{}/stock", 20.0),
    route("GET", "/api/search", 210.0),
    route("GET", "/api/search/suggestions", 35.0),
    route("GET", "/api/categories", 25.0),
    route("GET", "/api/categories/{}", 60.0),
    route("GET", "/api/cart", 30.0),
    route("POST", "/api/cart/items", 70.0),
    route("PATCH", "/api/cart/items/{}", 65.0),
    route("DELETE", "/api/cart/items/{}", 55.0),
    route("POST", "/api/orders", 320.0),
    route("GET", "/api/orders", 130.0),
    route("GET", "/api/orders/{}", 75.0),
    route("POST", "/api/orders/{}/cancel", 180.0),
    route("GET", "/api/orders/{}/invoice", 410.0),
    route("POST", "/api/payments", 620.0),
    route("GET", "/api/payments/{}", 90.0),
    route("GET", "/api/users/{}", 45.0),
    route("PUT", "/api/users/{}", 110.0),
    route("GET", "/api/users/{}/addresses", 50.0),
    route("POST", "/api/users/{}/addresses", 120.0),
    route("GET", "/api/session", 15.0),
    route("POST", "/api/session", 240.0),
    route("GET", "/api/notifications", 28.0),
    route("GET", "/api/recommendations", 260.0),
    route("GET", "/api/shipping/rates", 170.0),
    route("GET", "/api/features", 12.0),
];

pub(super) const PAGES: [&str; 6] = ["/", "/products", "/products/4711", "/cart", "/checkout", "/orders"];

pub(super) const BUTTONS: [(&str, &str); 6] = [
    ("add-to-cart", "Add to cart"),
    ("apply-filter", "Apply filter"),
    ("next-page", "Next"),
    ("save-address", "Save address"),
    ("place-order", "Place order"),
    ("show-reviews", "Show reviews"),
];

/// A message, the function it came from and its file.
pub(super) const FAULTS: [(&str, &str, &str); 5] = [
    ("Cannot read properties of undefined (reading 'price')", "CartLine.render", "src/cart/CartLine.tsx"),
    ("Cannot read properties of null (reading 'focus')", "focusField", "src/forms/Field.tsx"),
    ("Maximum call stack size exceeded", "flattenTree", "src/lib/tree.ts"),
    ("items.map is not a function", "OrderList", "src/orders/OrderList.tsx"),
    ("Failed to fetch", "loadRates", "src/checkout/shipping.ts"),
];

/// What the shop writes on the console: level and message.
pub(super) const LOGS: [(&str, &str); 8] = [
    ("info", "cart updated: 3 items"),
    ("info", "route changed to /checkout"),
    ("info", "session refreshed"),
    ("debug", "cache hit for categories"),
    ("debug", "render of ProductGrid took 14 ms"),
    ("warn", "React: each child in a list should have a unique key prop"),
    ("warn", "image /img/hero.avif is larger than its place"),
    ("error", "could not store preferences: quota exceeded"),
];

/// What the shop draws: component and median milliseconds.
pub(super) const COMPONENTS: [(&str, f64); 6] = [
    ("ProductGrid", 16.0),
    ("CartLine", 3.0),
    ("OrderList", 9.0),
    ("Checkout", 22.0),
    ("PriceChart", 34.0),
    ("SearchBox", 2.0),
];

/// What the shop's own code reports: metric, median and unit.
pub(super) const METRICS: [(&str, f64, &str); 4] = [
    ("cart.items", 3.0, "items"),
    ("ws.roundtrip", 18.0, "ms"),
    ("search.results", 42.0, "results"),
    ("heap.used", 61.0, "MB"),
];

/// What can be used in the shop, most used first.
pub(super) const FEATURES: [&str; 6] =
    ["saved-search", "wish-list", "compare-products", "share-link", "export-data", "dark-mode"];

/// Who comes to the kiosk in the shop, one after the other.
pub(super) const VISITORS: [&str; 8] =
    ["barbara", "edsger", "frances", "tony", "margaret", "dennis", "radia", "niklaus"];

/// Tab, session, user and user agent of the demo's three browsers; the last one is the kiosk.
pub(super) const PEOPLE: [(&str, &str, &str, &str); 3] = [
    ("tab-ada", "s-7f3a91", "ada@shop.example", CHROME),
    ("tab-grace", "s-c20b4e", "grace@shop.example", FIREFOX),
    ("tab-kiosk", "s-98d1f6", "kiosk@shop.example", CHROME_ON_ANDROID),
];
const CHROME: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const CHROME_ON_ANDROID: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36";
