//! `diff` and `cmp`

use std::io::{self, Read as _, Write as _};

use super::texts::whole;
use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;

/// Lines of one file, beyond which the best answer takes too much time and memory.
const MOST: usize = 20_000;

fn open(call: &Call<'_>, path: &str) -> io::Result<Input> {
    match path {
        "-" => Ok(Input::new(call.io.input.fd.clone())),
        path => Fd::open(path, Mode::Read).map(Input::new),
    }
}

fn two(options: &Options) -> Result<(&str, &str), Failure> {
    match &options.operands[..] {
        [one, other] => Ok((one, other)),
        _ => Err(Failure::Usage("two files are needed".to_owned())),
    }
}

/// `cmp`
pub(super) fn cmp(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "sl", &[("silent", 's'), ("quiet", 's')])?;
    let (one, other) = two(&options)?;
    let trouble =
        |path: &str, error: &io::Error| Failure::Said(format!("{path}: {}", crate::problem(error)));
    let mut first = open(call, one).map_err(|error| trouble(one, &error))?.bytes();
    let mut second = open(call, other).map_err(|error| trouble(other, &error))?.bytes();
    let (mut at, mut line) = (1u64, 1u64);
    loop {
        match (first.next().transpose()?, second.next().transpose()?) {
            (None, None) => return Ok(0),
            (Some(a), Some(b)) if a == b => {
                at += 1;
                line += u64::from(a == b'\n');
            }
            (Some(_), Some(_)) => {
                if !options.has('s') {
                    writeln!(call.io.out, "{one} {other} differ: byte {at}, line {line}")?;
                }
                return Ok(1);
            }
            (a, _) => {
                if !options.has('s') {
                    let shorter = if a.is_none() { one } else { other };
                    call.say(format!("EOF on {shorter} after byte {}", at - 1));
                }
                return Ok(1);
            }
        }
    }
}

/// What becomes of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    /// By their numbers on both sides.
    Keep(usize, usize),
    Remove(usize),
    Add(usize),
}

/// `diff`
pub(super) fn diff(call: &mut Call<'_>) -> Outcome {
    let long = [("unified", 'u'), ("brief", 'q'), ("recursive", 'r'), ("ignore-case", 'i')];
    let options = Options::read(call.words, "uqrbwiBNaU:", &long)?;
    let (one, other) = two(&options)?;
    let (one, other) = (one.to_owned(), other.to_owned());
    let code = compare(call, &options, &one, &other)?;
    Ok(code)
}

fn compare(call: &mut Call<'_>, options: &Options, one: &str, other: &str) -> Outcome {
    let is_folder = |path: &str| path != "-" && crate::path::absolute(path).is_dir();
    if is_folder(one) && is_folder(other) {
        return folders(call, options, one, other);
    }
    let within = |folder: &str, file: &str| {
        format!("{}/{}", folder.trim_end_matches('/'), crate::base_name(file))
    };
    let (one, other) = match (is_folder(one), is_folder(other)) {
        (true, false) => (within(one, other), other.to_owned()),
        (false, true) => (one.to_owned(), within(other, one)),
        _ => (one.to_owned(), other.to_owned()),
    };
    let mut texts = Vec::new();
    for path in [&one, &other] {
        match open(call, path).and_then(|mut input| whole(&mut input)) {
            Ok(bytes) => texts.push(bytes),
            Err(error) => {
                call.complain(path, &error);
                return Ok(2);
            }
        }
    }
    if texts[0] == texts[1] {
        return Ok(0);
    }
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.split_inclusive('\n').map(str::to_owned).collect()
    };
    let (old, new) = (lines(&texts[0]), lines(&texts[1]));
    let key = |line: &String| -> String {
        let line = if options.has('i') { line.to_lowercase() } else { line.clone() };
        match (options.has('w'), options.has('b')) {
            (true, _) => line.chars().filter(|character| !character.is_whitespace()).collect(),
            (_, true) => line.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => line,
        }
    };
    let (old_keys, new_keys): (Vec<String>, Vec<String>) =
        (old.iter().map(key).collect(), new.iter().map(key).collect());
    if old_keys == new_keys {
        return Ok(0);
    }
    if options.has('q') || old.len() > MOST || new.len() > MOST {
        writeln!(call.io.out, "Files {one} and {other} differ")?;
        return Ok(1);
    }
    let edits = edits(&old_keys, &new_keys);
    // Unified is what everybody reads; the other form has no use but for `ed`.
    let around = options.number('U')?.and_then(|number| usize::try_from(number).ok()).unwrap_or(3);
    write!(call.io.out, "--- {one}\n+++ {other}\n{}", unified(&old, &new, &edits, around))?;
    Ok(1)
}

fn folders(call: &mut Call<'_>, options: &Options, one: &str, other: &str) -> Outcome {
    let names = |path: &str| -> io::Result<std::collections::BTreeSet<String>> {
        let entries = std::fs::read_dir(crate::path::absolute(path))?;
        Ok(entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect())
    };
    let (first, second) = (names(one)?, names(other)?);
    let mut code = 0;
    for name in first.union(&second) {
        let below = |folder: &str| format!("{}/{name}", folder.trim_end_matches('/'));
        match (first.contains(name), second.contains(name)) {
            (true, true) => {
                let (a, b) = (below(one), below(other));
                let both = crate::path::absolute(&a).is_dir() && crate::path::absolute(&b).is_dir();
                if both && !options.has('r') {
                    writeln!(call.io.out, "Common subdirectories: {a} and {b}")?;
                } else {
                    code = code.max(compare(call, options, &a, &b)?);
                }
            }
            (in_first, _) => {
                writeln!(call.io.out, "Only in {}: {name}", if in_first { one } else { other })?;
                code = code.max(1);
            }
        }
    }
    Ok(code)
}

/// The fewest changes that make one of the other.
///
/// Source: Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), with the paths kept.
fn edits(old: &[String], new: &[String]) -> Vec<Edit> {
    let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[same..], &new[same..]);
    let mut edits: Vec<Edit> = (0..same).map(|at| Edit::Keep(at, at)).collect();
    let (n, m) = (signed(old_rest.len()), signed(new_rest.len()));
    let most = n + m;
    let place = |k: isize| usize::try_from(k + most + 1).unwrap_or(0);
    let mut furthest = vec![0isize; place(most + 1) + 1];
    let mut history = Vec::new();
    // Beyond so many changes the texts have little in common.
    const DIFFERENCES: isize = 1500;
    for d in 0..=most.min(DIFFERENCES) {
        let low = place(-d).saturating_sub(1);
        let high = (place(d) + 1).min(furthest.len() - 1);
        history.push((low, furthest[low..=high].to_vec()));
        let mut k = -d;
        while k <= d {
            let down = k == -d || (k != d && furthest[place(k - 1)] < furthest[place(k + 1)]);
            let mut x = if down { furthest[place(k + 1)] } else { furthest[place(k - 1)] + 1 };
            let mut y = x - k;
            while x < n && y < m && old_rest[unsigned(x)] == new_rest[unsigned(y)] {
                x += 1;
                y += 1;
            }
            furthest[place(k)] = x;
            if x >= n && y >= m {
                edits.extend(walk_back(&history, (n, m), d, place, same));
                return edits;
            }
            k += 2;
        }
    }
    edits.extend((same..old.len()).map(Edit::Remove));
    edits.extend((same..new.len()).map(Edit::Add));
    edits
}

fn walk_back(
    history: &[(usize, Vec<isize>)],
    (mut x, mut y): (isize, isize),
    last: isize,
    place: impl Fn(isize) -> usize,
    same: usize,
) -> Vec<Edit> {
    let mut back = Vec::new();
    for d in (0..=last).rev() {
        let (low, furthest) = &history[unsigned(d)];
        let at = |k: isize| furthest.get(place(k).saturating_sub(*low)).copied().unwrap_or(0);
        let k = x - y;
        let down = k == -d || (k != d && at(k - 1) < at(k + 1));
        let before_k = if down { k + 1 } else { k - 1 };
        let before_x = if d == 0 { 0 } else { at(before_k) };
        let before_y = if d == 0 { 0 } else { before_x - before_k };
        while x > before_x && y > before_y {
            (x, y) = (x - 1, y - 1);
            back.push(Edit::Keep(same + unsigned(x), same + unsigned(y)));
        }
        if d > 0 {
            back.push(if down {
                Edit::Add(same + unsigned(before_y))
            } else {
                Edit::Remove(same + unsigned(before_x))
            });
        }
        (x, y) = (before_x, before_y);
    }
    back.reverse();
    back
}

fn signed(number: usize) -> isize {
    isize::try_from(number).unwrap_or(isize::MAX)
}

fn unsigned(number: isize) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn unified(old: &[String], new: &[String], edits: &[Edit], around: usize) -> String {
    let mut out = String::new();
    let changes: Vec<usize> = edits
        .iter()
        .enumerate()
        .filter(|(_, edit)| !matches!(edit, Edit::Keep(..)))
        .map(|(at, _)| at)
        .collect();
    let mut rest = &changes[..];
    while let Some(first) = rest.first() {
        // Changes with few lines between them are told together.
        let near = rest.windows(2).take_while(|pair| pair[1] - pair[0] <= 2 * around + 1).count();
        let last = rest[near];
        let hunk = &edits[first.saturating_sub(around)..(last + around + 1).min(edits.len())];
        rest = &rest[near + 1..];
        let before = &edits[..first.saturating_sub(around)];
        let count = |edits: &[Edit], of_old: bool| {
            edits
                .iter()
                .filter(|edit| {
                    !matches!((edit, of_old), (Edit::Add(_), true) | (Edit::Remove(_), false))
                })
                .count()
        };
        let range = |of_old: bool| {
            let (start, length) = (count(before, of_old), count(hunk, of_old));
            let start = if length == 0 { start } else { start + 1 };
            if length == 1 { start.to_string() } else { format!("{start},{length}") }
        };
        out += &format!("@@ -{} +{} @@\n", range(true), range(false));
        for edit in hunk {
            let (mark, line) = match edit {
                Edit::Keep(at, _) => (' ', &old[*at]),
                Edit::Remove(at) => ('-', &old[*at]),
                Edit::Add(at) => ('+', &new[*at]),
            };
            out.push(mark);
            out += line;
            if !line.ends_with('\n') {
                out += "\n\\ No newline at end of file\n";
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.chars().map(|character| format!("{character}\n")).collect()
    }

    fn told(old: &str, new: &str) -> String {
        let (old, new) = (lines(old), lines(new));
        unified(&old, &new, &edits(&old, &new), 1).replace('\n', " ")
    }

    #[test]
    fn changes_are_told_with_what_is_round_them() {
        assert_eq!(told("abc", "abxc"), "@@ -2,2 +2,3 @@  b +x  c ");
        assert_eq!(
            told("abcdefgh", "xbcdefgy"),
            "@@ -1,2 +1,2 @@ -a +x  b @@ -7,2 +7,2 @@  g -h +y "
        );
        assert_eq!(told("", "a"), "@@ -0,0 +1 @@ +a ");
        assert_eq!(told("a", ""), "@@ -1 +0,0 @@ -a ");
    }

    proptest! {
        #[test]
        fn the_changes_make_one_of_the_other(old in "[a-c]{0,12}", new in "[a-c]{0,12}") {
            let (old, new) = (lines(&old), lines(&new));
            let edits = edits(&old, &new);
            let kept_old: Vec<&String> = edits.iter().filter_map(|edit| match edit {
                Edit::Keep(at, _) | Edit::Remove(at) => Some(&old[*at]),
                Edit::Add(_) => None,
            }).collect();
            let made_new: Vec<&String> = edits.iter().filter_map(|edit| match edit {
                Edit::Keep(_, at) | Edit::Add(at) => Some(&new[*at]),
                Edit::Remove(_) => None,
            }).collect();
            prop_assert_eq!(kept_old, old.iter().collect::<Vec<_>>());
            prop_assert_eq!(made_new, new.iter().collect::<Vec<_>>());
        }
    }
}
