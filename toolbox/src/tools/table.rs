//! Which tools there are. The names are exports of the module as well: by them wasmpod knows to what words
//! it answers.

use super::{
    Call, Outcome, compare, copy, count, encode, expression, files, format, grep, gzip, lines,
    list, network, search, sed, state, system, tar, texts, time, xargs,
};

/// One of them.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// What comes after the name.
    pub(crate) usage: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    /// Whether `--help` is for it to answer.
    pub(crate) takes_help: bool,
    pub(crate) run: fn(&mut Call<'_>) -> Outcome,
}

macro_rules! tools {
    ($($name:literal $usage:literal $about:literal $run:path,)*) => {
        static ALL: &[Tool] = &[$(Tool {
            name: $name,
            usage: $usage,
            about: $about,
            takes_help: !is_literal($name),
            run: $run,
        },)*];

        #[cfg(target_arch = "wasm32")]
        mod exports {
            #![expect(unsafe_code, reason = "the names of exports are ours")]
            $(const _: () = {
                #[unsafe(export_name = concat!("tool:", $name))]
                extern "C" fn tool() {}
            };)*
        }
    };
}

/// Those for which `--help` is a word as any other.
const fn is_literal(name: &str) -> bool {
    matches!(name.as_bytes(), b"echo" | b"printf" | b"test" | b"[" | b"true" | b"false")
}

tools! {
    "[" "EXPRESSION ]" "Tells by its exit code whether EXPRESSION holds." expression::run,
    "ash" "[-c COMMAND | FILE] [ARGUMENT...]" "A shell: reads commands and runs them." system::shell,
    "base64" "[-d] [-w WIDTH] [FILE]" "Prints bytes as base64; -d the other way round." encode::base64,
    "basename" "PATH [SUFFIX]" "Prints the last part of PATH." files::basename,
    "bash" "[-c COMMAND | FILE] [ARGUMENT...]" "The same shell as `sh`." system::shell,
    "cat" "[-nbsETA] [FILE...]" "Prints files, or standard input, one after the other." texts::cat,
    "chmod" "" "Says that WASI has no permissions." state::no_permissions,
    "chown" "" "Says that WASI has no owners." state::no_permissions,
    "clear" "" "Clears the terminal." system::clear,
    "cmp" "[-s] FILE FILE" "Tells where two files differ first." compare::cmp,
    "cp" "[-rpfnv] SOURCE... TARGET" "Copies files; -r folders too." copy::cp,
    "curl" "[-sSiILf] [-X METHOD] [-H HEADER] [-d DATA] [-o FILE] [-m SECONDS] URL" "Asks an HTTP server; https is not there." network::curl,
    "cut" "-b LIST | -c LIST | -f LIST [-d CHARACTER] [-s] [FILE...]" "Prints parts of lines." lines::cut,
    "date" "[-u] [-d TIME] [-r FILE] [-IR] [+FORMAT]" "Prints the time, as UTC." time::date,
    "df" "" "Says how to learn what is used: WASI does not tell." state::df,
    "diff" "[-urqbwi] [-U LINES] FILE FILE" "Prints what differs between two files or folders." compare::diff,
    "dirname" "PATH..." "Prints PATH without its last part." files::dirname,
    "du" "[-shabc] [-d DEPTH] [PATH...]" "Counts what files and folders hold." state::du,
    "echo" "[-neE] [WORD...]" "Prints its words." format::echo,
    "egrep" "PATTERN [FILE...]" "The same as `grep -E`." grep::grep,
    "env" "[-i] [-u NAME] [NAME=VALUE...]" "Prints the environment." system::env,
    "expr" "EXPRESSION" "Prints the value of an expression." expression::expr,
    "false" "" "Ends with code 1." system::no,
    "fgrep" "TEXT [FILE...]" "The same as `grep -F`." grep::grep,
    "find" "[PATH...] [-name PATTERN] [-type f|d|l] [-size N] [-mtime N] [-exec COMMAND ;] ..." "Finds files by what they are." search::find,
    "free" "" "Says how to learn what memory is used: a guest does not see it." state::free,
    "grep" "[-ivcnlqrwxoEFhHs] [-A N] [-B N] [-C N] [-m N] [-e] PATTERN [FILE...]" "Prints the lines that fit a pattern." grep::grep,
    "gunzip" "[-ckf] [FILE...]" "Unpacks gzip files." gzip::gzip,
    "gzip" "[-dckf] [-1..-9] [FILE...]" "Packs files, or standard input." gzip::gzip,
    "head" "[-n LINES] [-c BYTES] [FILE...]" "Prints the first lines." texts::head,
    "hexdump" "[-C] [-n LENGTH] [-s START] [FILE...]" "Prints bytes as numbers and text." encode::dump,
    "host" "NAME" "The same as `nslookup`." network::nslookup,
    "hostname" "" "Prints the name of the Pod." system::hostname,
    "id" "[-un]" "Prints who runs here: nobody but root, WASI has no users." system::id,
    "ln" "[-sf] TARGET LINK" "Makes a link." copy::ln,
    "ls" "[-alhRdt1FSrip] [PATH...]" "Lists the files of a folder." list::ls,
    "md5sum" "[-c] [FILE...]" "Prints MD5 digests, or checks them." encode::sum,
    "mkdir" "[-pv] FOLDER..." "Makes folders." files::mkdir,
    "mktemp" "[-d] [TEMPLATE]" "Makes a file of a name that nobody else has." files::mktemp,
    "mv" "[-fnv] SOURCE... TARGET" "Moves or renames files." copy::mv,
    "nc" "[-zv] [-w SECONDS] HOST PORT" "Connects by TCP: -z only looks whether somebody listens." network::nc,
    "nl" "[-b a] [FILE...]" "Prints lines with their numbers." lines::nl,
    "nslookup" "NAME" "Prints the addresses of a name, as the Pod sees it." network::nslookup,
    "od" "[-c] [-t x1|o1|c] [-N LENGTH] [-j START] [FILE...]" "Prints bytes as numbers." encode::dump,
    "paste" "[-s] [-d CHARACTERS] [FILE...]" "Prints lines of several files side by side." lines::paste,
    "printenv" "[NAME...]" "Prints variables of the environment." system::printenv,
    "printf" "FORMAT [WORD...]" "Prints its words in a format." format::printf,
    "ps" "" "Lists the processes: the container's program, and those of this exec." state::ps,
    "pwd" "" "Prints the working folder." files::pwd,
    "readlink" "[-f] PATH..." "Prints where a link leads." files::readlink,
    "realpath" "PATH..." "Prints a path without links." files::realpath,
    "rev" "[FILE...]" "Prints each line backwards." lines::rev,
    "rm" "[-rfv] PATH..." "Removes files; -r folders with all that is in them." copy::rm,
    "rmdir" "FOLDER..." "Removes empty folders." files::rmdir,
    "sed" "[-nEi] [-e] SCRIPT [FILE...]" "Edits lines: s, d, p, q, a, i, c, y, n, =." sed::sed,
    "seq" "[-s SEPARATOR] [-w] [FIRST [STEP]] LAST" "Prints numbers." format::seq,
    "sh" "[-c COMMAND | FILE] [ARGUMENT...]" "A shell: reads commands and runs them." system::shell,
    "sha256sum" "[-c] [FILE...]" "Prints SHA-256 digests, or checks them." encode::sum,
    "sha512sum" "[-c] [FILE...]" "Prints SHA-512 digests, or checks them." encode::sum,
    "sleep" "NUMBER[smhd]..." "Waits." system::sleep,
    "sort" "[-nrufbkt] [FILE...]" "Prints the lines in order." texts::sort,
    "stat" "[-L] [-c FORMAT] PATH..." "Prints what is known of a file." state::stat,
    "tac" "[FILE...]" "Prints lines, the last one first." lines::tac,
    "tail" "[-n LINES] [-c BYTES] [-f] [FILE...]" "Prints the last lines; -f waits for more." texts::tail,
    "tar" "-c|-x|-t [-zv] [-f FILE] [-C FOLDER] [PATH...]" "Makes an archive, unpacks one or lists it." tar::tar,
    "tee" "[-a] [FILE...]" "Copies standard input to its output and to files." texts::tee,
    "test" "EXPRESSION" "Tells by its exit code whether EXPRESSION holds." expression::run,
    "time" "COMMAND [ARGUMENT...]" "Runs a command and tells how long it took." time::time,
    "timeout" "TIME COMMAND [ARGUMENT...]" "Runs a command, and ends it after a time with code 124." time::timeout,
    "touch" "[-c] FILE..." "Makes files, or says that they were changed now." files::touch,
    "tr" "[-cds] SET [SET]" "Replaces characters, or deletes them." lines::tr,
    "true" "" "Ends with code 0." system::yes_code,
    "uname" "[-asnrm]" "Prints what this is." system::uname,
    "uniq" "[-cdui] [FILE]" "Prints lines that are not the same as the one before." lines::uniq,
    "wc" "[-lwcmL] [FILE...]" "Counts lines, words and bytes." count::wc,
    "wget" "[-qS] [-O FILE] [-T SECONDS] [--header=HEADER] [--post-data=DATA] [--spider] URL" "Gets a file by HTTP; https is not there." network::wget,
    "which" "NAME..." "Tells where a command is." state::which,
    "whoami" "" "Prints root: WASI has no users." system::whoami,
    "xargs" "[-0rt] [-n COUNT] [-I TEXT] [COMMAND [ARGUMENT...]]" "Runs a command with the words of its input." xargs::xargs,
    "xxd" "[FILE...]" "The same as `hexdump -C`." encode::dump,
    "yes" "[WORD...]" "Prints a line without end." format::yes,
    "zcat" "[FILE...]" "Prints what is in gzip files." gzip::gzip,
}

/// All of them, in order.
pub(crate) fn all() -> &'static [Tool] {
    ALL
}

/// The tool of that name; a path where a system has its programs means it too.
pub(crate) fn find(word: &str) -> Option<&'static Tool> {
    let folders = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/"];
    let name = folders.iter().find_map(|folder| word.strip_prefix(folder)).unwrap_or(word);
    ALL.binary_search_by(|tool| tool.name.cmp(name)).ok().map(|at| &ALL[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_order_and_say_what_they_do() {
        assert!(ALL.is_sorted_by(|one, next| one.name < next.name));
        for tool in ALL {
            assert!(tool.about.ends_with('.'), "{}", tool.name);
            assert!(std::ptr::eq(find(tool.name).unwrap(), tool));
        }
        assert!(find("/bin/ls").is_some() && find("/opt/ls").is_none() && find("").is_none());
    }
}
