//! Two containers that talk over message queues, and count in a segment that both have.
//!
//! `ipc answer` sends each word back in capitals and ends after an empty one. `ipc ask WORD...` sends the
//! words, those with an exclamation mark first, and prints what comes back. Both add the letters that they
//! have seen to one number.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use wasmpod_guest::ipc::{Creation, Error, Patience, Queue, Result, Segment};

const QUESTIONS: &str = "/questions";
const ANSWERS: &str = "/answers";
const TALLY: &str = "/tally";

/// Where in the segment the lock is, and where the number that it guards.
const LOCK: u64 = 0;
const LETTERS: u64 = 8;
const SIZE: u64 = 16;

/// The other container may not have started yet.
const PATIENCE: Patience = Patience::Within(Duration::from_secs(30));

const URGENT: u32 = 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["answer"] => answer(),
        ["ask", ref words @ ..] => ask(words),
        _ => {
            eprintln!("usage: ipc answer | ipc ask WORD...");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn answer() -> Result<()> {
    let (questions, answers) = open()?;
    let tally = Tally::open()?;
    loop {
        let question = match questions.receive(Patience::Endless) {
            Ok(message) => String::from_utf8_lossy(&message.body).into_owned(),
            // The Pod is to end.
            Err(Error::Interrupted) => return Ok(()),
            Err(error) => return Err(error),
        };
        if question.is_empty() {
            return Ok(());
        }
        tally.add(&question)?;
        answers.send(question.to_uppercase().as_bytes(), 0, PATIENCE)?;
    }
}

fn ask(words: &[&str]) -> Result<()> {
    let (questions, answers) = open()?;
    let tally = Tally::open()?;
    for word in words {
        let priority = if word.ends_with('!') { URGENT } else { 1 };
        tally.add(word)?;
        questions.send(word.as_bytes(), priority, PATIENCE)?;
    }
    // Of the lowest priority: it comes after all words.
    questions.send(b"", 0, PATIENCE)?;
    for _ in words {
        let answer = answers.receive(PATIENCE)?;
        println!("{} comes back", String::from_utf8_lossy(&answer.body));
    }
    println!("{} letters were seen, each by two", tally.letters()?);
    Ok(())
}

fn open() -> Result<(Queue, Queue)> {
    let open = |name| Queue::open(name, Creation::IfMissing);
    Ok((open(QUESTIONS)?, open(ANSWERS)?))
}

/// A number in the segment, which one container at a time changes.
struct Tally(Segment);

impl Tally {
    fn open() -> Result<Self> {
        let segment = Segment::open(TALLY, Creation::IfMissing)?;
        // It is that long already where the other was here before.
        segment.set_size(SIZE)?;
        Ok(Self(segment))
    }

    fn letters(&self) -> Result<u64> {
        let mut letters = [0; 8];
        self.0.read(LETTERS, &mut letters)?;
        Ok(u64::from_le_bytes(letters))
    }

    fn add(&self, word: &str) -> Result<()> {
        let _lock = self.0.lock(LOCK)?;
        let letters = self.letters()? + word.chars().count() as u64;
        self.0.write(LETTERS, &letters.to_le_bytes())
    }
}
