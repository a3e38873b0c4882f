//! What a shell is given once: `source <(wasmpod completion bash)`.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::{CommandLine, Completion};
use crate::failure::Failure;
use crate::print::out;

const BASH: &str = include_str!("scripts/wasmpod.bash");
const ZSH: &str = include_str!("scripts/wasmpod.zsh");
const FISH: &str = include_str!("scripts/wasmpod.fish");

/// What stands for the program in the scripts.
const PROGRAM: &str = "PROGRAM";

pub(crate) fn completion(completion: &Completion) -> Result<ExitCode, Failure> {
    let program = program();
    match completion.shell {
        Shell::Bash => out::text(&BASH.replace(PROGRAM, &quoted(&program))),
        Shell::Zsh => out::text(&ZSH.replace(PROGRAM, &quoted(&program))),
        Shell::Fish => out::text(&FISH.replace(PROGRAM, &quoted_for_fish(&program))),
        other => {
            let mut command = CommandLine::command();
            let mut script = Vec::new();
            clap_complete::generate(other, &mut command, "wasmpod", &mut script);
            out::bytes(&script);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// As it was called: by its name, found along PATH then as now, or by its path.
fn program() -> String {
    let called = std::env::args().next().unwrap_or_default();
    if !called.contains('/') {
        return "wasmpod".to_owned();
    }
    let path = std::path::absolute(Path::new(&called)).unwrap_or_else(|_| called.into());
    path.to_string_lossy().into_owned()
}

/// As one word of a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn quoted_for_fish(word: &str) -> String {
    format!("'{}'", word.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_in_a_strange_place_is_one_word() {
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
        assert_eq!(quoted_for_fish(r"/a b/it's\"), r"'/a b/it\'s\\'");
    }
}
