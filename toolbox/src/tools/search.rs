//! `find`

use std::fs::{self, Metadata};
use std::io::Write as _;
use std::time::SystemTime;

use super::{Call, Failure, Outcome};
use crate::path::absolute;
use crate::shell::pattern;

/// What a file has to be, or what is done with it.
enum Test {
    Name {
        pattern: String,
        fold: bool,
    },
    Path(String),
    Kind(char),
    Size {
        compare: Compare,
        unit: u64,
    },
    /// Minutes since it was changed.
    Age {
        compare: Compare,
        unit: u64,
    },
    Newer(SystemTime),
    Empty,
    Print(&'static str),
    Delete,
    Exec(Vec<String>),
    /// Those found so far are kept for one command at the end.
    ExecAll(Vec<String>),
    Prune,
    Not(Box<Test>),
    And(Vec<Test>),
    Or(Vec<Test>),
}

#[derive(Clone, Copy)]
struct Compare {
    sign: char,
    value: u64,
}

impl Compare {
    fn read(text: &str) -> Result<Self, Failure> {
        let sign = text.chars().next().filter(|sign| "+-".contains(*sign)).unwrap_or('=');
        let value = text.trim_start_matches(['+', '-']).parse();
        let value = value.map_err(|_| Failure::Usage(format!("{text:?} is not a number")))?;
        Ok(Self { sign, value })
    }

    fn holds(self, value: u64) -> bool {
        match self.sign {
            '+' => value > self.value,
            '-' => value < self.value,
            _ => value == self.value,
        }
    }
}

/// One file that was found.
struct Found<'path> {
    path: &'path str,
    metadata: &'path Metadata,
}

struct Finder {
    most_deep: usize,
    least_deep: usize,
    depth_first: bool,
    test: Test,
    kept: Vec<String>,
    code: i32,
}

/// `find`
pub(super) fn find(call: &mut Call<'_>) -> Outcome {
    let words = &call.words[1..];
    let is_test =
        |word: &String| (word.starts_with('-') && word.len() > 1) || word == "!" || word == "(";
    let split = words.iter().position(is_test).unwrap_or(words.len());
    let (paths, rest) = words.split_at(split);
    let mut finder = Finder {
        most_deep: 200,
        least_deep: 0,
        depth_first: false,
        test: Test::Empty,
        kept: Vec::new(),
        code: 0,
    };
    let mut reader = Reader { words: rest, at: 0, deep: 0, acts: false, finder: &mut finder };
    let mut test = match rest.is_empty() {
        true => Test::And(Vec::new()),
        false => reader.or()?,
    };
    if reader.at < rest.len() {
        return Err(Failure::Usage(format!("unexpected {:?}", rest[reader.at])));
    }
    if !reader.acts {
        test = Test::And(vec![test, Test::Print("\n")]);
    }
    finder.test = test;
    let standard = [".".to_owned()];
    for path in if paths.is_empty() { &standard[..] } else { paths } {
        match absolute(path).symlink_metadata() {
            Ok(metadata) => finder.walk(call, path, &metadata, 0)?,
            Err(error) => {
                call.complain(path, &error);
                finder.code = 1;
            }
        }
    }
    let Finder { test, kept, code, .. } = finder;
    if let Some(command) = at_end(&test).filter(|_| !kept.is_empty()) {
        let words = command.iter().cloned().chain(kept).collect();
        let env = call.env.to_vec();
        return Ok(code.max(super::run_command(call, words, env)?));
    }
    Ok(code)
}

fn at_end(test: &Test) -> Option<&Vec<String>> {
    match test {
        Test::ExecAll(command) => Some(command),
        Test::Not(inner) => at_end(inner),
        Test::And(all) | Test::Or(all) => all.iter().find_map(at_end),
        _ => None,
    }
}

struct Reader<'words> {
    words: &'words [String],
    at: usize,
    deep: u32,
    acts: bool,
    finder: &'words mut Finder,
}

impl Reader<'_> {
    fn accept(&mut self, words: &[&str]) -> bool {
        let found = self.words.get(self.at).is_some_and(|word| words.contains(&word.as_str()));
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Test, Failure> {
        self.deep += 1;
        if self.deep > 50 {
            return Err(Failure::Usage("nested too deeply".to_owned()));
        }
        let mut all = vec![self.and()?];
        while self.accept(&["-o", "-or"]) {
            all.push(self.and()?);
        }
        self.deep -= 1;
        Ok(Test::Or(all))
    }

    fn and(&mut self) -> Result<Test, Failure> {
        let mut all = vec![self.one()?];
        loop {
            self.accept(&["-a", "-and"]);
            let word = self.words.get(self.at).map(String::as_str);
            if matches!(word, None | Some("-o" | "-or" | ")")) {
                return Ok(Test::And(all));
            }
            all.push(self.one()?);
        }
    }

    fn value(&mut self, name: &str) -> Result<String, Failure> {
        let value = self.words.get(self.at).cloned();
        self.at += 1;
        value.ok_or_else(|| Failure::Usage(format!("{name} needs a value")))
    }

    fn one(&mut self) -> Result<Test, Failure> {
        let name = self.value("find")?;
        Ok(match name.as_str() {
            "!" | "-not" => Test::Not(Box::new(self.one()?)),
            "(" => {
                let inner = self.or()?;
                if !self.accept(&[")"]) {
                    return Err(Failure::Usage("missing )".to_owned()));
                }
                inner
            }
            "-name" | "-iname" => {
                let pattern = self.value(&name)?;
                let fold = name == "-iname";
                Test::Name { pattern: if fold { pattern.to_lowercase() } else { pattern }, fold }
            }
            "-path" | "-wholename" => Test::Path(self.value(&name)?),
            "-type" => Test::Kind(self.value(&name)?.chars().next().unwrap_or('f')),
            "-size" => {
                let text = self.value(&name)?;
                let unit = match text.chars().last() {
                    Some('c') => 1,
                    Some('k') => 1 << 10,
                    Some('M') => 1 << 20,
                    Some('G') => 1 << 30,
                    _ => 512,
                };
                let digits =
                    text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
                Test::Size { compare: Compare::read(digits)?, unit }
            }
            "-mtime" => Test::Age { compare: Compare::read(&self.value(&name)?)?, unit: 24 * 60 },
            "-mmin" => Test::Age { compare: Compare::read(&self.value(&name)?)?, unit: 1 },
            "-newer" => {
                let path = self.value(&name)?;
                Test::Newer(fs::metadata(absolute(path)).and_then(|metadata| metadata.modified())?)
            }
            "-empty" => Test::Empty,
            "-prune" => Test::Prune,
            "-maxdepth" => {
                let number = super::arguments::number(&self.value(&name)?)?;
                self.finder.most_deep = usize::try_from(number).unwrap_or(200).min(200);
                Test::And(Vec::new())
            }
            "-mindepth" => {
                let number = super::arguments::number(&self.value(&name)?)?;
                self.finder.least_deep = usize::try_from(number).unwrap_or(usize::MAX);
                Test::And(Vec::new())
            }
            "-depth" => {
                self.finder.depth_first = true;
                Test::And(Vec::new())
            }
            "-xdev" | "-mount" | "-follow" => Test::And(Vec::new()),
            "-print" | "-print0" => {
                self.acts = true;
                Test::Print(if name == "-print" { "\n" } else { "\0" })
            }
            "-delete" => {
                (self.acts, self.finder.depth_first) = (true, true);
                Test::Delete
            }
            "-exec" => self.exec()?,
            _ => return Err(Failure::Usage(format!("there is no {name}"))),
        })
    }

    fn exec(&mut self) -> Result<Test, Failure> {
        self.acts = true;
        let mut command = Vec::new();
        loop {
            match self.value("-exec")?.as_str() {
                ";" => return Ok(Test::Exec(command)),
                "+" if command.last().is_some_and(|word| word == "{}") => {
                    command.pop();
                    return Ok(Test::ExecAll(command));
                }
                word => command.push(word.to_owned()),
            }
        }
    }
}

impl Finder {
    fn walk(
        &mut self,
        call: &mut Call<'_>,
        path: &str,
        metadata: &Metadata,
        deep: usize,
    ) -> Result<(), Failure> {
        let mut prune = false;
        let test = std::mem::replace(&mut self.test, Test::Empty);
        if !self.depth_first && deep >= self.least_deep {
            self.holds(call, &test, &Found { path, metadata }, &mut prune)?;
        }
        self.test = test;
        if metadata.is_dir() && deep < self.most_deep && !prune {
            match fs::read_dir(absolute(path)) {
                Ok(entries) => {
                    let mut names: Vec<String> = entries
                        .flatten()
                        .map(|entry| entry.file_name().to_string_lossy().into_owned())
                        .collect();
                    names.sort();
                    for name in names {
                        let below = format!("{}/{name}", path.trim_end_matches('/'));
                        // One that is gone since is no longer found.
                        if let Ok(metadata) = absolute(&below).symlink_metadata() {
                            self.walk(call, &below, &metadata, deep + 1)?;
                        }
                    }
                }
                Err(error) => {
                    call.complain(path, &error);
                    self.code = 1;
                }
            }
        }
        if self.depth_first && deep >= self.least_deep {
            let test = std::mem::replace(&mut self.test, Test::Empty);
            self.holds(call, &test, &Found { path, metadata }, &mut prune)?;
            self.test = test;
        }
        Ok(())
    }

    fn holds(
        &mut self,
        call: &mut Call<'_>,
        test: &Test,
        found: &Found<'_>,
        prune: &mut bool,
    ) -> Result<bool, Failure> {
        let Found { path, metadata } = found;
        Ok(match test {
            Test::Name { pattern, fold } => {
                let name = crate::base_name(path.trim_end_matches('/'));
                match fold {
                    true => pattern::matches(pattern, &name.to_lowercase()),
                    false => pattern::matches(pattern, name),
                }
            }
            Test::Path(pattern) => pattern::matches(pattern, path),
            Test::Kind(kind) => match kind {
                'd' => metadata.is_dir(),
                'l' => metadata.is_symlink(),
                'f' => metadata.is_file(),
                _ => false,
            },
            Test::Size { compare, unit } => compare.holds(metadata.len().div_ceil(*unit)),
            Test::Age { compare, unit } => {
                let age = metadata.modified()?.elapsed().unwrap_or_default();
                compare.holds(age.as_secs() / 60 / unit)
            }
            Test::Newer(time) => metadata.modified()? > *time,
            Test::Empty => match metadata.is_dir() {
                true => {
                    fs::read_dir(absolute(path)).is_ok_and(|mut entries| entries.next().is_none())
                }
                false => metadata.len() == 0,
            },
            Test::Print(end) => {
                write!(call.io.out, "{path}{end}")?;
                true
            }
            Test::Delete => {
                let place = absolute(path);
                let removed =
                    if metadata.is_dir() { fs::remove_dir(place) } else { fs::remove_file(place) };
                if let Err(error) = &removed {
                    call.complain(path, error);
                    self.code = 1;
                }
                removed.is_ok()
            }
            Test::Exec(command) => {
                let words = command.iter().map(|word| word.replace("{}", path)).collect();
                let env = call.env.to_vec();
                super::run_command(call, words, env)? == 0
            }
            Test::ExecAll(_) => {
                self.kept.push((*path).to_owned());
                true
            }
            Test::Prune => {
                *prune = true;
                true
            }
            Test::Not(inner) => !self.holds(call, inner, found, prune)?,
            Test::And(all) => {
                for one in all {
                    if !self.holds(call, one, found, prune)? {
                        return Ok(false);
                    }
                }
                true
            }
            Test::Or(all) => {
                for one in all {
                    if self.holds(call, one, found, prune)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }
}
