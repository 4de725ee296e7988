//! What a mask keeps of a text: by its form, whatever column it is in, since e-mail addresses and phone numbers stand in
//! user ids and attributes too. Whatever is not surely of a known form keeps nothing.

/// What stands for the part that is not kept.
const HIDDEN: &str = "***";

/// The calling codes that the ITU assigned, a line each. None begins another.
const CALLING_CODES: &str = include_str!("calling_codes.txt");

/// A postal code with more characters is none.
const POSTAL_CODE_CHARS: usize = 10;

/// What a mask keeps of a text: of an e-mail address its domain (`***@example.com`), of a phone number in the form of E.164 its
/// calling code (`+44***`), else nothing (`***`). An empty text stays empty.
pub(super) fn masked(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = text.trim();
    if let Some(domain) = domain_of(text) {
        return format!("{HIDDEN}@{domain}");
    }
    calling_code_of(text).map_or_else(|| HIDDEN.to_owned(), |code| format!("+{code}{HIDDEN}"))
}

/// The same of a postal code, of which the first half is kept, rounded down: a region.
pub(super) fn masked_postal_code(text: &str) -> String {
    let code = text.trim();
    let count = code.chars().count();
    let is_code = count <= POSTAL_CODE_CHARS
        && code.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-'))
        && code.chars().any(|c| c.is_ascii_digit());
    if !is_code {
        return masked(text);
    }
    let kept: String = code.chars().take(count / 2).collect();
    format!("{}{HIDDEN}", kept.trim_end_matches([' ', '-']))
}

/// The domain of an e-mail address. A handle such as `@jane.doe`, and text with an address in it, are none: what stands behind
/// their `@` may be a name.
fn domain_of(text: &str) -> Option<&str> {
    let (local, domain) = text.split_once('@')?;
    let is_local = !local.is_empty() && !local.chars().any(char::is_whitespace);
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-') && !label.starts_with('-')
    };
    let (_, top) = domain.rsplit_once('.')?;
    let is_top = top.chars().count() > 1 && top.chars().next().is_some_and(char::is_alphabetic);
    (is_local && is_top && domain.len() <= 255 && domain.split('.').all(is_label)).then_some(domain)
}

/// The calling code of a number: `+`, then 7 to 15 digits, with spaces, hyphens, dots, slashes and brackets among them.
fn calling_code_of(text: &str) -> Option<&'static str> {
    let number = text.strip_prefix('+')?;
    if number.chars().any(|c| !c.is_ascii_digit() && !" ()-./\u{a0}".contains(c)) {
        return None;
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let code = CALLING_CODES.lines().find(|code| digits.starts_with(code))?;
    (7..=15).contains(&digits.len()).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_what_analysis_needs() {
        for (text, expected) in [
            ("jane.doe@example.com", "***@example.com"),
            ("  jane@mail.example.co.uk\n", "***@mail.example.co.uk"),
            ("Jane+news@EXAMPLE.com", "***@EXAMPLE.com"),
            ("jürgen@müller.de", "***@müller.de"),
            ("jane@xn--mller-kva.de", "***@xn--mller-kva.de"),
            ("+447700900123", "+44***"),
            ("+1 (242) 555-0100", "+1***"),
            ("+4915112345678", "+49***"),
            ("+35312345678", "+353***"),
            ("", ""),
        ] {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_surely_of_a_form_keeps_nothing() {
        for text in [
            "jane",
            "@jane.doe",
            "write to @jane.doe",
            "Jane Doe <jane@example.com>",
            "jane@doe",
            "jane@jane.d",
            "jane@203.0.113.9",
            "jane@example..com",
            "a@b@example.com",
            "jane@example.com, joe@example.org",
            "jane@-doe.com",
            "447700900123",
            "00447700900123",
            "+44 7700 jane",
            "+123456",
            "+4477009001234567",
            "+999123456789",
            "+",
            "d3b07384d113edec49eaa6238ad5ff00",
            " ",
        ] {
            assert_eq!(masked(text), "***", "{text}");
        }
    }

    #[test]
    fn a_postal_code_keeps_its_first_half() {
        for (text, expected) in [
            ("94103", "94***"),
            ("94103-1234", "94103***"),
            ("SW1A 1AA", "SW1A***"),
            ("10115", "10***"),
            ("AB 1", "AB***"),
            ("1", "***"),
            ("", ""),
            ("Jane", "***"),
            ("Jane Doe, 12 High Street", "***"),
            ("jane@example.com", "***@example.com"),
        ] {
            assert_eq!(masked_postal_code(text), expected, "{text}");
        }
    }

    #[test]
    fn no_calling_code_begins_another() {
        let codes: Vec<&str> = CALLING_CODES.lines().collect();
        assert!(codes.len() > 200 && codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_digit())));
        for code in &codes {
            assert_eq!(codes.iter().filter(|other| code.starts_with(**other)).count(), 1, "{code}");
        }
        assert!(["1", "7", "20", "44", "353", "998"].iter().all(|code| codes.contains(code)));
    }
}
