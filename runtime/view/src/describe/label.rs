//! The title of a field, made from its name: `creationTimestamp` is `Creation Timestamp`.
//!
//! Rule: `smartLabelFor` of kubectl, with the words of `camelcase.Split`.

pub(super) fn label(field: &str) -> String {
    if field.chars().any(|it| !it.is_alphabetic() && it != '-') {
        return field.to_owned();
    }
    let words: Vec<String> = words(field).into_iter().map(titled).collect();
    words.join(" ")
}

fn titled(word: String) -> String {
    let upper = word.to_uppercase();
    if matches!(upper.as_str(), "API" | "URL" | "UID" | "OSB" | "GUID") {
        return upper;
    }
    if word.to_lowercase() != word {
        return word;
    }
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

/// Runs of one class of characters; an upper-case letter belongs to the lower-case ones behind it.
fn words(field: &str) -> Vec<String> {
    #[derive(Clone, Copy, PartialEq)]
    enum Class {
        Lower,
        Upper,
        Other,
    }
    let class = |it: char| match it {
        it if it.is_lowercase() => Class::Lower,
        it if it.is_uppercase() => Class::Upper,
        _ => Class::Other,
    };
    let mut runs: Vec<(Class, String)> = Vec::new();
    for character in field.chars() {
        let class = class(character);
        match runs.last_mut() {
            Some((last, run)) if *last == class => run.push(character),
            Some(_) | None => runs.push((class, character.to_string())),
        }
    }
    for at in 1..runs.len() {
        let joins = (runs[at - 1].0, runs[at].0) == (Class::Upper, Class::Lower);
        if let Some(capital) = joins.then(|| runs[at - 1].1.pop()).flatten() {
            runs[at].1.insert(0, capital);
        }
    }
    runs.into_iter().map(|(_, run)| run).filter(|run| !run.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_made_of_words() {
        let table = [
            ("creationTimestamp", "Creation Timestamp"),
            ("uid", "UID"),
            ("apiVersion", "API Version"),
            ("apiURL", "API URL"),
            ("HTTPServer", "HTTP Server"),
            ("with_under", "with_under"),
            ("x1", "x1"),
            ("a-b", "A - B"),
        ];
        for (field, title) in table {
            assert_eq!(label(field), title);
        }
    }
}
