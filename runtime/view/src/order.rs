//! Sorting by rules of others, which may contradict themselves.

/// The items in the order of `less`; equal ones stay as they were.
///
/// The standard library's sort may panic where a rule is no total order, and some of kubectl's are
/// not. This one ends with some order whatever the rule says.
pub(crate) fn sorted<Item>(
    items: Vec<Item>,
    mut less: impl FnMut(&Item, &Item) -> bool,
) -> Vec<Item> {
    let mut sorted: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        let place = sorted.partition_point(|earlier| !less(&item, earlier));
        sorted.insert(place, item);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_contradicts_itself_is_no_panic() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(sorted(items.clone(), |_, _| true).len(), 100);
        assert_eq!(sorted(items.clone(), |one, other| (one ^ other) % 3 == 0).len(), 100);
        assert_eq!(sorted(vec![3, 1, 2], |one, other| one < other), [1, 2, 3]);
    }
}
