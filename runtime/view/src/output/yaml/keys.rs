//! The order of keys: `a2` before `a10`.

use std::cmp::Ordering;

use crate::order;

/// Sorts in the natural order.
pub(super) fn sort<Item>(items: Vec<Item>, key: impl Fn(&Item) -> &str) -> Vec<Item> {
    order::sorted(items, |one, other| less(key(one), key(other)))
}

/// Rule: `keyList.Less` of go-yaml. It is not transitive for every set of keys.
fn less(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let differs = one.iter().zip(&other).position(|(a, b)| a != b);
    if let Some(at) = differs {
        return match (one[at].is_alphabetic(), other[at].is_alphabetic()) {
            (true, true) => one[at] < other[at],
            (true, false) => false,
            (false, true) => true,
            (false, false) => numbers_less(&one, &other, at),
        };
    }
    one.len() < other.len()
}

/// Which number at `at` is the smaller, where the texts begin to differ.
fn numbers_less(one: &[char], other: &[char], at: usize) -> bool {
    let is_inside_number = (one[at] == '0' || other[at] == '0')
        && one[..at].iter().rev().take_while(|it| is_digit(**it)).any(|it| *it != '0');
    let start = i64::from(is_inside_number);
    let ((a, a_end), (b, b_end)) = (number(&one[at..], start), number(&other[at..], start));
    match a.cmp(&b).then(a_end.cmp(&b_end)) {
        Ordering::Equal => one[at] < other[at],
        different => different.is_lt(),
    }
}

/// The number that the text begins with, and how many digits it has.
fn number(text: &[char], start: i64) -> (i64, usize) {
    let digits: Vec<i64> = text
        .iter()
        .take_while(|it| is_digit(**it))
        .map(|it| i64::from(u32::from(*it)) - i64::from(u32::from('0')))
        .collect();
    let value =
        digits.iter().fold(start, |value, digit| value.wrapping_mul(10).wrapping_add(*digit));
    (value, digits.len())
}

fn is_digit(character: char) -> bool {
    character.is_numeric() && !character.is_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_keys_count_as_numbers() {
        let keys = vec!["b", "a10", "a2", "a", "A", "a-1", "a01", "a1", "1", "é", "a.b", "ab"];
        let sorted = sort(keys, |key| key);
        assert_eq!(sorted, ["1", "A", "a", "a-1", "a.b", "a1", "a01", "a2", "a10", "ab", "b", "é"]);
    }
}
