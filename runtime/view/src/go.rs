//! Values as Go's `fmt` prints them with `%v`: kubectl shows them so in columns and descriptions.

use serde_json::{Number, Value};

/// The value: `map[a:1 b:[x y]]`, `<nil>`, `true`, text as it is.
pub(crate) fn display(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number_text(number, Exponent::Display),
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(display).collect();
            format!("[{}]", values.join(" "))
        }
        Value::Object(map) => {
            let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            let pairs: Vec<String> =
                pairs.iter().map(|(key, value)| format!("{key}:{}", display(value))).collect();
            format!("map[{}]", pairs.join(" "))
        }
    }
}

/// When a float is written with an exponent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exponent {
    /// `encoding/json`: below 10^-6 and from 10^21 on.
    Json,
    /// `fmt`: below 10^-4 and from 10^21 on.
    Display,
    /// `strconv` with `g`, as YAML has it: below 10^-4 and from 10^6 on.
    Yaml,
}

/// The number; a float as short as it reads back.
pub(crate) fn number_text(number: &Number, exponent: Exponent) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_text(float, exponent),
        Some(_) | None => number.to_string(),
    }
}

fn float_text(float: f64, style: Exponent) -> String {
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (least, most) = match style {
        Exponent::Json => (-6, 21),
        Exponent::Display => (-4, 21),
        Exponent::Yaml => (-4, 6),
    };
    if float == 0.0 || (least..most).contains(&exponent) {
        return format!("{float}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    match style {
        // JSON does without the zero before one digit: 1e-7.
        Exponent::Json if exponent < 0 => format!("{digits}e-{}", exponent.abs()),
        Exponent::Json | Exponent::Display | Exponent::Yaml => {
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_read_as_in_go() {
        let value = json!({ "b": [1, "x", null], "a": { "t": true }, "f": 1.5, "g": 3.0 });
        assert_eq!(display(&value), "map[a:map[t:true] b:[1 x <nil>] f:1.5 g:3]");
    }

    #[test]
    fn long_floats_have_an_exponent() {
        let table = [
            (1e21, "1e+21", "1e+21", "1e+21"),
            (1e20, "100000000000000000000", "100000000000000000000", "1e+20"),
            (1_234_567.5, "1234567.5", "1234567.5", "1.2345675e+06"),
            (0.00001, "0.00001", "1e-05", "1e-05"),
            (1e-7, "1e-7", "1e-07", "1e-07"),
            (-2.5, "-2.5", "-2.5", "-2.5"),
            (0.0, "0", "0", "0"),
        ];
        for (float, json, display, yaml) in table {
            assert_eq!(float_text(float, Exponent::Json), json);
            assert_eq!(float_text(float, Exponent::Display), display);
            assert_eq!(float_text(float, Exponent::Yaml), yaml);
        }
    }
}
