//! `--help` of each verb: what it does, examples that are there, and how it ends.

use crate::harness::World;

/// The verbs of the page of `wasmpod --help`.
fn verbs(world: &World) -> Vec<String> {
    let page = world.does(["--help"]);
    let commands = page.split("\nOptions:").next().expect("there is a first part");
    let lines = commands.lines().filter_map(|line| line.strip_prefix("  "));
    let verbs = lines.filter_map(|line| line.split_whitespace().next());
    verbs.filter(|verb| *verb != "help").map(str::to_owned).collect()
}

/// The verb of each `wasmpod VERB` in the examples of a page.
fn examples(page: &str) -> Vec<String> {
    let part = page.split("\nExamples:\n").nth(1).unwrap_or_default();
    let part = part.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = part.split(|c: char| c.is_whitespace() || c == '(').collect();
    let verbs = words.windows(2).filter(|pair| pair[0] == "wasmpod").map(|pair| pair[1]);
    verbs.map(str::to_owned).collect()
}

#[test]
fn each_verb_has_examples_and_tells_how_it_ends() {
    let world = World::new();
    let verbs = verbs(&world);
    assert!(verbs.len() > 25, "{verbs:?}");
    let tasks = ["df", "prune", "reset"].map(|task| vec!["system", task]);
    let tasks = tasks.into_iter().chain(["pack", "prune"].map(|task| vec!["image", task]));
    let pages = verbs.iter().map(|verb| vec![verb.as_str()]).chain(tasks);
    for words in pages {
        let page = world.does(words.iter().copied().chain(["--help"]));
        let verb = words.join(" ");
        for part in [format!("\nUsage: wasmpod {verb}"), "\nExit status: ".to_owned()] {
            assert!(page.contains(&part), "{part:?} in {page}");
        }
        let examples = examples(&page);
        assert!(!examples.is_empty(), "{verb} has no examples\n{page}");
        for example in examples {
            assert!(verbs.contains(&example), "{verb}: there is no verb {example:?}\n{page}");
        }
    }
}
