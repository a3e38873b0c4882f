//! Reading and writing JSON.

use serde_json::{Value, json};

use crate::{Numbers, mix};

pub(crate) fn run(rounds: u32) -> u64 {
    let mut text = document().to_string();
    let mut sum = 0;
    for round in 0..rounds {
        let mut value: Value = serde_json::from_str(&text).expect("it was written as JSON");
        value["round"] = json!(round);
        sum = mix(sum, weight(&value));
        text = value.to_string();
    }
    mix(sum, text.len() as u64)
}

fn weight(value: &Value) -> u64 {
    match value {
        Value::Null => 1,
        Value::Bool(yes) => u64::from(*yes) + 2,
        Value::Number(number) => number.as_f64().unwrap_or(0.0).to_bits(),
        Value::String(text) => text.len() as u64,
        Value::Array(list) => list.iter().map(weight).fold(5, mix),
        Value::Object(map) => {
            map.iter().fold(7, |sum, (key, value)| mix(mix(sum, key.len() as u64), weight(value)))
        }
    }
}

fn document() -> Value {
    let mut numbers = Numbers::new(11);
    let items: Vec<Value> = (0..100)
        .map(|index| {
            let tags = &["new", "cheap", "blue"][..numbers.below(4)];
            json!({
                "id": index,
                "name": format!("item \"{}\" ä", numbers.next()),
                "price": (numbers.next() % 100_000) as f64 / 100.0,
                "tags": tags,
                "stock": { "berlin": numbers.below(100), "paris": null, "open": index % 2 == 0 },
            })
        })
        .collect();
    json!({ "items": items })
}
