//! The things a population is made of: countries and cities, devices, names, words.
//!
//! Tables only. Adding to one changes what every seed means, so a change here is a change of the population's format.

/// A country, with what is needed to make addresses in it.
#[derive(Debug)]
pub(super) struct Country {
    /// ISO 3166 alpha-2.
    pub(super) alpha2: &'static str,
    /// ISO 3166 alpha-3, as imports often have it.
    pub(super) alpha3: &'static str,
    /// Calling code without `+`.
    pub(super) calling_code: &'static str,
    /// Digits of a national number.
    pub(super) phone_digits: usize,
    /// `Demographic.Locale`.
    pub(super) locale: &'static str,
    /// A name of the tz database.
    pub(super) timezone: &'static str,
    /// Where its people live.
    pub(super) cities: [City; 2],
}

/// A city. In `postal_code`, `#` stands for a digit.
#[derive(Debug, Clone, Copy)]
pub(super) struct City {
    pub(super) name: &'static str,
    pub(super) region: &'static str,
    pub(super) postal_code: &'static str,
    /// Degrees times ten: Pinpoint keeps one decimal.
    pub(super) latitude_tenths: i64,
    /// Degrees times ten.
    pub(super) longitude_tenths: i64,
}

/// Shorthand for the table below.
const fn city(
    name: &'static str,
    region: &'static str,
    postal_code: &'static str,
    latitude_tenths: i64,
    longitude_tenths: i64,
) -> City {
    City { name, region, postal_code, latitude_tenths, longitude_tenths }
}

/// Shorthand for the table below: codes are alpha-2, alpha-3 and calling code.
const fn country(
    [alpha2, alpha3, calling_code]: [&'static str; 3],
    phone_digits: usize,
    locale: &'static str,
    timezone: &'static str,
    cities: [City; 2],
) -> Country {
    Country { alpha2, alpha3, calling_code, phone_digits, locale, timezone, cities }
}

/// Where people live; the first ones are drawn more often.
pub(super) static COUNTRIES: [Country; 14] = [
    country(
        ["US", "USA", "1"],
        10,
        "en_US",
        "America/New_York",
        [city("Seattle", "WA", "981##", 476, -1_223), city("Santa Barbara", "CA", "931##", 344, -1_197)],
    ),
    country(
        ["JP", "JPN", "81"],
        10,
        "ja_JP",
        "Asia/Tokyo",
        [city("Toyama", "Toyama", "930-00##", 367, 1_372), city("広島市", "広島県", "730-00##", 344, 1_325)],
    ),
    country(
        ["GB", "GBR", "44"],
        10,
        "en_GB",
        "Europe/London",
        [city("London", "England", "SW# 1AA", 515, -1), city("Edinburgh", "Scotland", "EH# 3BB", 560, -32)],
    ),
    country(
        ["DE", "DEU", "49"],
        11,
        "de_DE",
        "Europe/Berlin",
        [city("München", "Bayern", "80###", 481, 116), city("Berlin", "Berlin", "10###", 525, 134)],
    ),
    country(
        ["BR", "BRA", "55"],
        11,
        "pt_BR",
        "America/Sao_Paulo",
        [city("São Paulo", "SP", "01###-000", -236, -466), city("Recife", "PE", "50###-000", -81, -349)],
    ),
    country(
        ["IN", "IND", "91"],
        10,
        "en_IN",
        "Asia/Kolkata",
        [
            city("Mumbai", "Maharashtra", "4000##", 191, 729),
            city("Bengaluru", "Karnataka", "5600##", 130, 776),
        ],
    ),
    country(
        ["FR", "FRA", "33"],
        9,
        "fr_FR",
        "Europe/Paris",
        [
            city("Paris", "Île-de-France", "750##", 489, 24),
            city("Lyon", "Auvergne-Rhône-Alpes", "690##", 458, 48),
        ],
    ),
    country(
        ["ES", "ESP", "34"],
        9,
        "es_ES",
        "Europe/Madrid",
        [city("Madrid", "Madrid", "280##", 404, -37), city("A Coruña", "Galicia", "150##", 434, -84)],
    ),
    country(
        ["CA", "CAN", "1"],
        10,
        "fr_CA",
        "America/Toronto",
        [city("Montréal", "QC", "H2X #A1", 455, -736), city("Toronto", "ON", "M5V #B2", 437, -794)],
    ),
    country(
        ["MX", "MEX", "52"],
        10,
        "es_MX",
        "America/Mexico_City",
        [city("Ciudad de México", "CDMX", "06###", 194, -991), city("Mérida", "YUC", "970##", 210, -896)],
    ),
    country(
        ["CN", "CHN", "86"],
        11,
        "zh_CN",
        "Asia/Shanghai",
        [city("上海", "上海市", "2000##", 312, 1_215), city("Shenzhen", "Guangdong", "5180##", 225, 1_141)],
    ),
    country(
        ["AU", "AUS", "61"],
        9,
        "en_AU",
        "Australia/Sydney",
        [city("Sydney", "NSW", "20##", -339, 1_512), city("Perth", "WA", "60##", -320, 1_159)],
    ),
    country(
        ["SE", "SWE", "46"],
        9,
        "sv_SE",
        "Europe/Stockholm",
        [city("Göteborg", "Västra Götaland", "41# 05", 577, 120), city("Malmö", "Skåne", "21# 22", 556, 130)],
    ),
    country(
        ["PL", "POL", "48"],
        9,
        "pl_PL",
        "Europe/Warsaw",
        [city("Łódź", "łódzkie", "90-0##", 518, 195), city("Kraków", "małopolskie", "30-0##", 501, 199)],
    ),
];

/// A device: make, model, model version, platform and its versions.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) make: &'static str,
    pub(super) model: &'static str,
    pub(super) model_version: &'static str,
    /// Pinpoint gives platforms back in lower case.
    pub(super) platform: &'static str,
    pub(super) platform_versions: [&'static str; 4],
}

/// Shorthand for the tables below.
const fn device(
    [make, model, model_version, platform]: [&'static str; 4],
    platform_versions: [&'static str; 4],
) -> Device {
    Device { make, model, model_version, platform, platform_versions }
}

/// Apple's devices.
pub(super) static IOS_DEVICES: [Device; 4] = [
    device(["Apple", "iPhone 15 Pro", "iPhone16,1", "ios"], ["17.4", "17.6.1", "18.0", "18.2"]),
    device(["Apple", "iPhone SE", "iPhone14,6", "ios"], ["15.8", "16.7.2", "17.4", "18.0"]),
    device(["apple", "iPhone 6/7/8 plus", "iPhone10,2", "ios"], ["12.1", "13.3", "14.8", "16.7.2"]),
    device(["Apple", "iPad Air", "iPad13,16", "ios"], ["16.1", "17.0", "17.6.1", "18.1"]),
];

/// Everybody else's.
pub(super) static ANDROID_DEVICES: [Device; 5] = [
    device(["OnePlus", "Nord 4", "CPH2663", "android"], ["12", "13", "14", "15"]),
    device(["Samsung", "Galaxy S23", "SM-S911B", "android"], ["13", "14", "14", "15"]),
    device(["Google", "Pixel 8", "shiba", "android"], ["14", "14", "15", "16"]),
    device(["Xiaomi", "Redmi Note 12", "22111317I", "android"], ["12", "13", "13", "14"]),
    device(["HUAWEI", "P30 lite", "MAR-LX1A", "android"], ["9", "10", "10", "10"]),
];

/// Versions of the sender's app.
pub(super) static APP_VERSIONS: [&str; 7] =
    ["2.8.0", "3.0.1", "3.1.0", "3.9.4", "3.10.0", "3.12.1", "4.0.0-beta.2"];

/// First names, as written and as they stand in an e-mail address.
pub(super) static FIRST_NAMES: [(&str, &str); 24] = [
    ("Sofía", "sofia"),
    ("James", "james"),
    ("Mary", "mary"),
    ("José", "jose"),
    ("Anna", "anna"),
    ("Jürgen", "juergen"),
    ("Chloé", "chloe"),
    ("Łukasz", "lukasz"),
    ("Yuki", "yuki"),
    ("陽菜", "hina"),
    ("伟", "wei"),
    ("Priya", "priya"),
    ("Oluwaseun", "oluwaseun"),
    ("Emma", "emma"),
    ("Liam", "liam"),
    ("Björn", "bjorn"),
    ("Fatima", "fatima"),
    ("Noah", "noah"),
    ("Zoë", "zoe"),
    ("Miguel", "miguel"),
    ("O'Brien", "obrien"),
    ("Ingrid", "ingrid"),
    ("Дмитрий", "dmitri"),
    ("Renée", "renee"),
];

/// Last names, as written and as they stand in an e-mail address.
pub(super) static LAST_NAMES: [(&str, &str); 20] = [
    ("Martínez", "martinez"),
    ("Smith", "smith"),
    ("Müller", "mueller"),
    ("Tanaka", "tanaka"),
    ("王", "wang"),
    ("Silva", "silva"),
    ("Dubois", "dubois"),
    ("Kowalski", "kowalski"),
    ("Johnson", "johnson"),
    ("Nguyễn", "nguyen"),
    ("Andersson", "andersson"),
    ("Patel", "patel"),
    ("García", "garcia"),
    ("Okafor", "okafor"),
    ("Brown", "brown"),
    ("佐藤", "sato"),
    ("Novák", "novak"),
    ("Williams", "williams"),
    ("Ivanova", "ivanova"),
    ("Lee", "lee"),
];

/// Domains for e-mail, none of which can receive any.
pub(super) static EMAIL_DOMAINS: [&str; 8] = [
    "example.com",
    "example.com",
    "example.com",
    "mail.example.org",
    "example.net",
    "post.example",
    "correo.example",
    "firma.example",
];

/// `Attributes.interests`.
pub(super) static INTERESTS: [&str; 14] = [
    "music",
    "travel",
    "baseball",
    "cooking",
    "running",
    "cinema",
    "gardening",
    "photography",
    "science",
    "football",
    "books",
    "gaming",
    "hiking",
    "wine & food",
];

/// `Attributes.plan`.
pub(super) static PLANS: [&str; 5] = ["free", "free", "silver", "gold", "platinum"];

/// `Attributes.FavoriteTeam`, which came with imports.
pub(super) static TEAMS: [&str; 5] = ["Angels", "Mariners", "Carp", "Giants", "Dodgers"];

/// `Attributes.note`: free text with everything that free text has.
pub(super) static NOTES: [&str; 12] = [
    "called on Monday",
    "prefers the \"quiet\" newsletter",
    "met at the fair; asked for a quote",
    "path C:\\exports\\2024",
    "first line\nsecond line",
    "naïve café, 100 % sûr",
    "ご連絡ありがとうございます",
    "tab\tseparated",
    "=HYPERLINK(\"https://example.com\")",
    "loves it 🎉",
    "</script><b>not markup</b>",
    "A long note that was typed into a field without a limit and is kept as it is, although Pinpoint's manual allows \
     one hundred characters for the value of an attribute.",
];

/// `User.UserAttributes.Segment`.
pub(super) static SEGMENTS: [&str; 4] = ["consumer", "consumer", "business", "education"];

/// Time zones that are not in the tz database: Pinpoint cannot target them in local time.
pub(super) static ODD_TIMEZONES: [&str; 4] = ["CST", "GMT+9", "Europe/Munich", "america/new_york"];

/// Attributes that a rich record has beside the usual ones.
pub(super) static RICH_ATTRIBUTES: [&str; 14] = [
    "acquisitionChannel",
    "consentVersion",
    "coupon",
    "favoriteStore",
    "householdSize",
    "lastCampaign",
    "lastOrderId",
    "loyaltyTier",
    "newsletter",
    "paymentMethod",
    "preferredCategory",
    "referrer",
    "subscription",
    "wishlist",
];

/// What stands in them.
pub(super) static RICH_VALUES: [&str; 10] = [
    "autumn-2024",
    "card on file",
    "not asked",
    "Shibuya, 2nd floor",
    "partner program",
    "weekly",
    "v3.2",
    "shoes > running",
    "https://example.com/campaign?id=31",
    "Größe M",
];

/// Metrics that a rich record has beside the usual ones.
pub(super) static RICH_METRICS: [&str; 6] =
    ["daysSinceVisit", "lifetimeValue", "orders", "returns", "reviews", "visits"];

/// User attributes that a rich record has beside the usual ones.
pub(super) static RICH_USER_ATTRIBUTES: [&str; 4] = ["Household", "Language", "Occupation", "Tier"];
