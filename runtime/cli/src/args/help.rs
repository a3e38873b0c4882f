//! `wasmpod --help`: the verbs in groups, as kubectl has them.
//!
//! clap puts all of them into one list; so this is written by hand, and a test holds it to the definition.

/// The page of `wasmpod --help`.
pub(super) const PAGE: &str = concat!(
    "{about-with-newline}\n",
    "{usage-heading} {usage}\n\n",
    include_str!("help.txt"),
    "\nOptions:\n{options}{after-help}\n",
);

pub(super) const MORE: &str = "\
Use \"wasmpod COMMAND --help\" for more about a command, with examples.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::args::CommandLine;

    #[test]
    fn every_verb_is_in_a_group_in_its_own_words() {
        let mut command = CommandLine::command();
        command.build();
        let visible = command.get_subcommands().filter(|verb| !verb.is_hide_set());
        let mut expected: Vec<String> = visible
            .map(|verb| {
                let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
                format!("  {:<15}{about}", verb.get_name())
            })
            .collect();
        let page = include_str!("help.txt");
        let verbs = page.lines().filter(|line| line.starts_with("  "));
        let mut written: Vec<String> = verbs.map(str::to_owned).collect();
        expected.sort();
        written.sort();
        assert_eq!(written, expected);
    }
}
