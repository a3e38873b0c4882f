//! Forms of names: what a label, a key or a port may look like.
//!
//! Each check returns what is wrong with a text, nothing when it is right. Rule: apimachinery's
//! `pkg/util/validation`, whose messages these are.

use std::net::IpAddr;

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const SUBDOMAIN_WITH_UNDERSCORE: &str =
    r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

const LABEL_TEXT: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
    characters or '-', and must start and end with an alphanumeric character";
const LABEL_1035_TEXT: &str = "a DNS-1035 label must consist of lower case alphanumeric characters \
    or '-', start with an alphabetic character, and end with an alphanumeric character";
const SUBDOMAIN_TEXT: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
    alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const SUBDOMAIN_WITH_UNDERSCORE_TEXT: &str = "a lowercase RFC 1123 subdomain must consist of \
    lower case alphanumeric characters, '_', '-' or '.', and must start and end with an \
    alphanumeric character";
const QUALIFIED_TEXT: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must \
    start and end with an alphanumeric character";
const LABEL_VALUE_TEXT: &str = "a valid label must be an empty string or consist of alphanumeric \
    characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/// Longest label of DNS, and name or value of a Kubernetes label.
pub(super) const MOST_LABEL: usize = 63;
/// Longest name in DNS.
const MOST_SUBDOMAIN: usize = 253;

/// One label of DNS: names of containers and volumes.
pub(crate) fn dns_label(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, MOST_LABEL);
    if !is_label(value) {
        wrong.push(if is_subdomain(value) {
            "must not contain dots".to_owned()
        } else {
            by_pattern(LABEL_TEXT, LABEL, &["my-name", "123-abc"])
        });
    }
    wrong
}

/// A label of DNS by its older rule, which wants a letter in front: names of Services.
pub(crate) fn dns_1035_label(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, MOST_LABEL);
    if !is_label(value) || value.starts_with(|first: char| first.is_ascii_digit()) {
        wrong.push(by_pattern(LABEL_1035_TEXT, LABEL_1035, &["my-name", "abc-123"]));
    }
    wrong
}

/// Labels of DNS joined by dots: names of most objects.
pub(crate) fn dns_subdomain(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, MOST_SUBDOMAIN);
    if !is_subdomain(value) {
        wrong.push(by_pattern(SUBDOMAIN_TEXT, SUBDOMAIN, &["example.com"]));
    }
    wrong
}

/// The same for a name that is still to be completed, which may end in a dash.
pub(crate) fn dns_subdomain_prefix(value: &str) -> Vec<String> {
    prefix(value, dns_subdomain)
}

/// A name of whatever form that is still to be completed, which may end in a dash.
pub(crate) fn prefix(value: &str, form: fn(&str) -> Vec<String>) -> Vec<String> {
    match value.strip_suffix('-') {
        Some(stem) if !stem.is_empty() => {
            // The last two letters stand for what will be appended.
            let end = stem.char_indices().next_back().map_or(0, |(start, _)| start);
            form(&format!("{}a", &stem[..end]))
        }
        _ => form(value),
    }
}

/// A subdomain in which labels may have underscores: DNS search paths.
pub(crate) fn dns_subdomain_with_underscore(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, MOST_SUBDOMAIN);
    let label = |label: &str| {
        let label = label.strip_prefix('_').unwrap_or(label);
        is_made_of(label, |byte| is_lower_alphanumeric(byte) || byte == b'-' || byte == b'_')
            && has_ends(label, is_lower_alphanumeric)
    };
    if !value.split('.').all(label) {
        let pattern = SUBDOMAIN_WITH_UNDERSCORE;
        wrong.push(by_pattern(SUBDOMAIN_WITH_UNDERSCORE_TEXT, pattern, &["example.com"]));
    }
    wrong
}

/// A name with an optional domain before it: keys of labels, names of conditions.
pub fn qualified_name(value: &str) -> Vec<String> {
    let examples = &["MyName", "my.name", "123-abc"];
    let mut wrong = Vec::new();
    let mut parts = value.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(prefix), Some(name), None) => {
            if prefix.is_empty() {
                wrong.push("prefix part must be non-empty".to_owned());
            } else {
                let each = dns_subdomain(prefix).into_iter();
                wrong.extend(each.map(|text| format!("prefix part {text}")));
            }
            name
        }
        _ => {
            let rule = by_pattern(QUALIFIED_TEXT, QUALIFIED, examples);
            return vec![format!(
                "a qualified name {rule} with an optional DNS subdomain prefix and '/' \
                 (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if name.len() > MOST_LABEL {
        wrong.push(format!("name part {}", at_most(MOST_LABEL)));
    }
    if !is_qualified(name) {
        wrong.push(format!("name part {}", by_pattern(QUALIFIED_TEXT, QUALIFIED, examples)));
    }
    wrong
}

/// The value of a label.
pub fn label_value(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, MOST_LABEL);
    if !value.is_empty() && !is_qualified(value) {
        let pattern = format!("({QUALIFIED})?");
        wrong.push(by_pattern(LABEL_VALUE_TEXT, &pattern, &["MyValue", "my_value", "12345"]));
    }
    wrong
}

/// The name of an environment variable.
pub(crate) fn environment_variable(value: &str) -> Vec<String> {
    let printable = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
    if value.is_empty() {
        vec!["environment variable name must be non-empty".to_owned()]
    } else if is_made_of(value, printable) {
        Vec::new()
    } else {
        vec![
            "a valid environment variable name must consist only of printable ASCII characters \
             other than '='"
                .to_owned(),
        ]
    }
}

/// The key of a ConfigMap or Secret, which may become the name of a file.
pub(crate) fn config_map_key(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, MOST_SUBDOMAIN);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if !is_made_of(value, allowed) {
        let text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        let examples = &["key.name", "KEY_NAME", "key-name"];
        wrong.push(by_pattern(text, "[-._a-zA-Z0-9]+", examples));
    }
    match value {
        "." => wrong.push("must not be '.'".to_owned()),
        ".." => wrong.push("must not be '..'".to_owned()),
        _ if value.starts_with("..") => wrong.push("must not start with '..'".to_owned()),
        _ => {}
    }
    wrong
}

/// A share of a whole.
pub(crate) fn percent(value: &str) -> Vec<String> {
    let share = value.strip_suffix('%').unwrap_or_default();
    if is_made_of(share, |byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let text = "a valid percent string must be a numeric string followed by an ending '%'";
    vec![by_pattern(text, "[0-9]+%", &["1%", "93%"])]
}

/// The name of a port.
pub(crate) fn port_name(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, 15);
    if !is_made_of(value, |byte| is_lower_alphanumeric(byte) || byte == b'-') {
        wrong.push(
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned(),
        );
    }
    if !value.bytes().any(|byte| byte.is_ascii_lowercase()) {
        wrong.push("must contain at least one letter (a-z)".to_owned());
    }
    if value.contains("--") {
        wrong.push("must not contain consecutive hyphens".to_owned());
    }
    if value.starts_with('-') || value.ends_with('-') {
        wrong.push("must not begin or end with a hyphen".to_owned());
    }
    wrong
}

/// The name of an HTTP header.
pub(crate) fn http_header(value: &str) -> Vec<String> {
    if is_made_of(value, |byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Vec::new();
    }
    let text = "a valid HTTP header must consist of alphanumeric characters or '-'";
    vec![by_pattern(text, "[-A-Za-z0-9]+", &["X-Header-Name"])]
}

/// An IP address in its plain form: a leading zero or a mapped address is read differently by
/// different programs.
pub(crate) fn ip_address(value: &str) -> Vec<String> {
    match value.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            vec!["must not be an IPv4-mapped IPv6 address".to_owned()]
        }
        Ok(_) => Vec::new(),
        Err(_) if has_leading_zeros(value) => vec!["must not have leading 0s".to_owned()],
        Err(_) => {
            vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()]
        }
    }
}

/// Whether the text would be an IPv4 address without the zeros in front of its numbers.
fn has_leading_zeros(value: &str) -> bool {
    let parts: Vec<&str> = value.split('.').collect();
    parts.len() == 4
        && parts.iter().all(|part| {
            let number = part.trim_start_matches('0');
            is_made_of(part, |byte| byte.is_ascii_digit())
                && (number.is_empty() || number.parse::<u8>().is_ok())
        })
}

/// What is said of a number out of bounds.
pub(crate) fn between(least: impl std::fmt::Display, most: impl std::fmt::Display) -> String {
    format!("must be between {least} and {most}, inclusive")
}

fn too_long(value: &str, most: usize) -> Vec<String> {
    if value.len() > most { vec![at_most(most)] } else { Vec::new() }
}

/// What is said of a text that is too long.
pub(super) fn at_most(most: usize) -> String {
    format!("must be no more than {most} characters")
}

fn by_pattern(text: &str, pattern: &str, examples: &[&str]) -> String {
    let quoted: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{text} (e.g. {}regex used for validation is '{pattern}')", quoted.join(" or "))
}

fn is_label(value: &str) -> bool {
    is_made_of(value, |byte| is_lower_alphanumeric(byte) || byte == b'-')
        && has_ends(value, is_lower_alphanumeric)
}

fn is_subdomain(value: &str) -> bool {
    value.split('.').all(is_label)
}

fn is_qualified(value: &str) -> bool {
    is_made_of(value, |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && has_ends(value, |byte| byte.is_ascii_alphanumeric())
}

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Whether the text is not empty and each of its bytes is allowed.
fn is_made_of(value: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !value.is_empty() && value.bytes().all(allowed)
}

/// Whether the first and the last byte are allowed.
fn has_ends(value: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let bytes = value.as_bytes();
    bytes.first().copied().is_some_and(&allowed) && bytes.last().copied().is_some_and(&allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_subdomains() {
        assert!(dns_label("a").is_empty());
        assert!(dns_label("123-abc").is_empty());
        assert!(dns_label(&"a".repeat(63)).is_empty());
        assert_eq!(dns_label(&"a".repeat(64)), ["must be no more than 63 characters"]);
        assert_eq!(dns_label("a.b"), ["must not contain dots"]);
        let pattern = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
            characters or '-', and must start and end with an alphanumeric character (e.g. \
            'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
        for wrong in ["", "A", "a_b", "-a", "a-", "ä", "a b"] {
            assert_eq!(dns_label(wrong), [pattern], "{wrong:?}");
        }
        assert!(dns_1035_label("a-1").is_empty());
        let pattern = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', \
            start with an alphabetic character, and end with an alphanumeric character (e.g. \
            'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
        for wrong in ["", "1a", "A", "a.b", "-a", "a-"] {
            assert_eq!(dns_1035_label(wrong), [pattern], "{wrong:?}");
        }
        assert!(dns_subdomain("a.b-c.d").is_empty());
        for wrong in ["", ".", "a..b", "a.-b", "A.b"] {
            assert_eq!(dns_subdomain(wrong).len(), 1, "{wrong:?}");
        }
        assert!(dns_subdomain_prefix("web-").is_empty());
        assert!(!dns_subdomain_prefix("-").is_empty());
        assert!(!dns_subdomain_prefix("Web-").is_empty());
        assert!(dns_subdomain_with_underscore("_tcp.a_b.example").is_empty());
        assert!(!dns_subdomain_with_underscore("a._").is_empty());
    }

    #[test]
    fn qualified_names_and_label_values() {
        for right in ["a", "A.b_c-9", "example.com/Name", "a/b"] {
            assert!(qualified_name(right).is_empty(), "{right}");
        }
        assert_eq!(qualified_name("/a"), ["prefix part must be non-empty"]);
        assert_eq!(qualified_name("a/")[0], "name part must be non-empty");
        assert!(qualified_name("A.b/c")[0].starts_with("prefix part a lowercase RFC 1123"));
        assert!(qualified_name("a/b/c")[0].ends_with("(e.g. 'example.com/MyName')"));
        assert_eq!(
            qualified_name(&"a".repeat(64)),
            ["name part must be no more than 63 characters"]
        );
        assert!(label_value("").is_empty());
        assert!(label_value("a.B_c").is_empty());
        assert_eq!(label_value("a b").len(), 1);
    }

    #[test]
    fn keys_ports_headers_and_addresses() {
        assert!(environment_variable("my var-1").is_empty());
        assert!(!environment_variable("a=b").is_empty());
        assert!(!environment_variable("ä").is_empty());
        assert!(config_map_key("..data").contains(&"must not start with '..'".to_owned()));
        assert_eq!(config_map_key(".."), ["must not be '..'"]);
        assert!(config_map_key(".env").is_empty());
        assert!(port_name("http-2").is_empty());
        assert_eq!(port_name("80"), ["must contain at least one letter (a-z)"]);
        assert_eq!(port_name("a--b"), ["must not contain consecutive hyphens"]);
        assert_eq!(port_name("-a"), ["must not begin or end with a hyphen"]);
        assert!(http_header("X-A").is_empty());
        assert!(!http_header("X A").is_empty());
        assert!(ip_address("::1").is_empty());
        assert_eq!(ip_address("010.0.0.1"), ["must not have leading 0s"]);
        assert_eq!(ip_address("::ffff:1.2.3.4"), ["must not be an IPv4-mapped IPv6 address"]);
        assert_eq!(ip_address("host").len(), 1);
    }
}
