//! Which texts are commands, and which are not.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::shell::ast::{Command, List};

fn parse(text: &str) -> Result<Vec<List>, ParseError> {
    parse_with(text, &[])
}

fn parse_with(text: &str, aliases: &[(&str, &str)]) -> Result<Vec<List>, ParseError> {
    let aliases: HashMap<_, _> =
        aliases.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let mut parser = Parser::new(text, &aliases);
    std::iter::from_fn(|| parser.next().transpose()).collect()
}

#[test]
fn what_is_complete_is_read() {
    for text in [
        "",
        "# only a comment\n",
        "a",
        "a; b & c\nd",
        "a && b || ! c | d",
        "a |\n b",
        "if a; then b; elif c; then d; else e; fi",
        "while a; do b; done > file 2>&1",
        "until a\ndo\nb\ndone",
        "for x in a b \"$c\"; do echo $x; done",
        "for x do echo $x; done",
        "for x\nin a\ndo b; done",
        "case $x in a|b) c ;; (d) ;; *) e; esac",
        "case x in a) b ;& c) d ;; esac",
        "f() { a; }",
        "f ()\n{ a\n}",
        "function f { a; }",
        "(a; b) | { c; d; }",
        "cat <<EOF\ntext $x\nEOF\n",
        "cat <<'A' <<-B\none\nA\n\ttwo\n\tB\nrest",
        "a <<< \"$b\" &> c 3<&- >| d <> e",
        "echo ${a} ${a:-b c} ${#a} ${a##*/} ${a%.*} ${a/b/c} ${a//b} ${a:1:2} ${#}",
        "echo $(a | b) `c \\`d\\`` $((1 + (2 * 3))) $( (a) ) $()",
        "echo 'it''s' \"a $b\" \\\n c $'tab\\t' ~ ~/x ~root a=~",
        "a=1 b=\"$(c)\" d e=f",
        "echo if then { } [ ! ]",
        "x=$(cat <<EOF\nin here\nEOF\n)",
        "{ a; } 2>/dev/null",
        "[ a = b ] && [[ c == d* ]]",
        "echo a#b '#c'",
    ] {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }
}

#[test]
fn what_goes_on_is_incomplete() {
    for text in [
        "if a; then",
        "while a",
        "for x in a",
        "case x in",
        "case x in a",
        "f() {",
        "(a",
        "{ a",
        "a &&",
        "a |",
        "echo 'a",
        "echo \"a",
        "echo $(a",
        "echo ${a",
        "echo `a",
        "cat <<EOF\ntext",
        "cat <<EOF",
        "a >",
        "a \\",
    ] {
        let parsed = parse(text);
        assert!(matches!(parsed, Err(ParseError::Incomplete { .. })), "{text}: {parsed:?}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let told: Vec<String> = [
        "fi",
        "a\n)",
        "a && ;",
        "if a; fi",
        "for 1+ in a",
        "a | | b",
        "f(x) { a; }",
        "echo ${a!b}",
        ";;",
        "{ }",
    ]
    .iter()
    .map(|text| parse(text).unwrap_err().to_string())
    .collect();
    assert_eq!(
        told,
        [
            "line 1: syntax error: unexpected \"fi\"",
            "line 2: syntax error: unexpected \")\"",
            "line 1: syntax error: unexpected \";\"",
            "line 1: syntax error: unexpected \"fi\"",
            "line 1: syntax error: unexpected \"+\" (expecting \"do\")",
            "line 1: syntax error: unexpected \"|\"",
            "line 1: syntax error: unexpected \"x\"",
            "line 1: syntax error: bad substitution",
            "line 1: syntax error: unexpected \";;\"",
            "line 1: syntax error: unexpected \"}\"",
        ]
    );
    let deep = parse(&"(".repeat(10_000)).unwrap_err().to_string();
    assert_eq!(deep, "line 1: syntax error: nested too deeply");
    assert!(parse(&"$(".repeat(10_000)).is_err());
    assert!(parse(&"${a:-".repeat(10_000)).is_err());
    assert!(parse(&"\"`".repeat(10_000)).is_err());
}

fn words(list: &List) -> Vec<String> {
    match &*list.0[0].and_or.first.commands[0] {
        Command::Simple(simple) => {
            simple.words.iter().map(|word| word.as_plain().unwrap_or("?").to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn aliases_stand_for_texts() {
    let aliases =
        [("ll", "ls -l"), ("ls", "ls -F"), ("sudo", "sudo "), ("loop", "while a; do b; done")];
    let of = |text| words(&parse_with(text, &aliases).unwrap()[0]);
    assert_eq!(of("ll x"), ["ls", "-F", "-l", "x"]);
    assert_eq!(of("sudo ls x"), ["sudo", "ls", "-F", "x"]);
    assert_eq!(of("echo ll"), ["echo", "ll"]);
    assert_eq!(of("'ll' x"), ["?", "x"]);
    assert!(parse_with("loop", &aliases).is_ok());
    assert_eq!(words(&parse_with("a x", &[("a", "b"), ("b", "a")]).unwrap()[0]), ["a", "x"]);
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "[a-c \n'\"\\\\$`(){}<>|&;!#=*~?\\[\\]0-2:/+-]{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_words_are_too_strange(words in prop::collection::vec(
        prop::sample::select(vec![
            "if", "then", "fi", "for", "in", "do", "done", "case", "esac", "{", "}", "(", ")", "a", ";",
            "&&", "|", "<<E", "E", "\n", "$(", "`", "\"", "'", "${a", "$((", "))", ";;", "f()", "a=b",
        ]), 0..30)) {
        let _ = parse(&words.join(" "));
    }
}
