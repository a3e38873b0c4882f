//! What scripts and tools come to, run as a program of this machine. What is expected is what busybox and
//! dash do with the same text.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `sh -c TEXT` in a folder of its own.
fn sh_in(folder: &Path, text: &str, input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_toolbox"))
        .args(["sh", "-c", text])
        .current_dir(folder)
        .env_clear()
        .envs([("HOME", "/root"), ("PATH", "/nowhere")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Not all of them read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn sh(text: &str) -> (i32, String, String) {
    sh_in(tempfile::tempdir().unwrap().path(), text, "")
}

/// Each text, and what it prints; it must end with code 0 and say nothing on standard error.
#[track_caller]
fn check(table: &[(&str, &str)]) {
    for (text, wanted) in table {
        let (code, out, err) = sh(text);
        assert_eq!((code, out.as_str(), err.as_str()), (0, *wanted, ""), "{text}");
    }
}

#[test]
fn words_are_expanded() {
    check(&[
        ("echo 'a  b' \"c  d\" e\\ f", "a  b c  d e f\n"),
        ("x='a  b'; echo $x \"$x\" ${x}c", "a b a  b a bc\n"),
        ("echo ${x-none} ${x:-none} ${x+set} ${x:=new} $x ${x:+set}", "none none new new set\n"),
        ("x=; echo \"[${x-none}]\" \"[${x:-none}]\" \"[${x+set}]\"", "[] [none] [set]\n"),
        (
            "x=a/b/c.tar.gz; echo ${x#*/} ${x##*/} ${x%.*} ${x%%.*} ${#x}",
            "b/c.tar.gz c.tar.gz a/b/c.tar a/b/c 12\n",
        ),
        (
            "x=abcabc; echo ${x/b/X} ${x//b/X} ${x:1:3} ${x: -2} ${x:2}",
            "aXcabc aXcaXc bca bc cabc\n",
        ),
        (
            "set -- 'a b' c; for x in $@; do echo $x; done; for x in \"$@\"; do echo \"[$x]\"; done",
            "a\nb\nc\n[a b]\n[c]\n",
        ),
        ("set -- a b; IFS=,; echo \"$*\" $#", "a,b 2\n"),
        ("f() { for x in \"$@\"; do echo x; done; }; f; f ''", "x\n"),
        ("IFS=:; x=a::b; set -- $x; echo $#", "3\n"),
        (
            "echo $((2 + 3 * 4)) $((x = 5, x++ + x)) $(( (1 << 4) % 7 )) $((1 ? 2 : 3))",
            "14 11 2 2\n",
        ),
        ("echo $(echo $(echo deep)) `echo back` \"$(echo 'a b')\"", "deep back a b\n"),
        ("echo ~ ~/x '~' \"~\" a~", "/root /root/x ~ ~ a~\n"),
        (
            "touch b.txt a.txt .c.txt; echo *.txt; echo \"*.txt\" [ab].txt ?.none",
            "a.txt b.txt\n*.txt a.txt b.txt ?.none\n",
        ),
        ("mkdir -p d/e; touch d/e/f; echo d/*/f */; set -f; echo *", "d/e/f d/\n*\n"),
        ("a=1 b=2; echo $a$b; a=3 eval 'echo $a'", "12\n3\n"),
        ("echo $'a\\tb' \"a\\tb\" \"\\$x\"", "a\tb a\\tb $x\n"),
        (
            "x='*'; echo \"$x\"; case abc in $x) echo fits;; esac; case abc in \"$x\") echo no;; *) echo other;; esac",
            "*\nfits\nother\n",
        ),
        ("echo \"${x:-a b}\" ${y:-'c  d'}", "a b c  d\n"),
        ("x=5; echo \"${x:+\"quoted $x\"}\"", "quoted 5\n"),
    ]);
}

#[test]
fn commands_are_run_in_order() {
    check(&[
        ("true && echo a || echo b; false && echo c || echo d; ! false && echo e", "a\nd\ne\n"),
        ("if false; then echo 1; elif true; then echo 2; else echo 3; fi", "2\n"),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo $i; done", "1\n3\n"),
        ("until false; do echo once; break; done", "once\n"),
        (
            "for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done",
            "1a\n2a\n",
        ),
        (
            "case x in a|x) echo hit;; *) echo miss;; esac; case y in y) echo 1;& z) echo 2;; esac",
            "hit\n1\n2\n",
        ),
        ("f() { local x=2; echo $x $1; return 3; }; x=1; f arg; echo $? $x", "2 arg\n3 1\n"),
        ("(exit 4); echo $?; { false; }; echo $?", "4\n1\n"),
        ("x=1; (x=2; echo $x); echo $x", "2\n1\n"),
        (
            "echo a | { read x; echo \"got $x\"; }; echo b | while read y; do echo $y; done",
            "got a\nb\n",
        ),
        ("set -o pipefail; false | true; echo $?", "1\n"),
        (
            "eval 'echo a; echo b'; command echo c; type cd | cat",
            "a\nb\nc\ncd is a shell builtin\n",
        ),
        ("trap 'echo bye' EXIT; (echo sub); echo end", "sub\nend\nbye\n"),
        ("alias hi='echo hello'\nhi there", "hello there\n"),
        ("sleep 0 & wait $!; echo $?; (exit 7) & wait $!; echo $?", "0\n7\n"),
        ("while getopts ab:c o; do echo $o $OPTARG; done < /dev/null; echo $OPTIND", "1\n"),
        (
            "set -- -a -b x -cy z; while getopts ab:c: o; do echo $o $OPTARG; done; shift $((OPTIND-1)); echo $1",
            "a\nb x\nc y\nz\n",
        ),
        ("echo 'a:b c:d' | { IFS=: read x y z; echo \"$x|$y|$z\"; }", "a|b c|d\n"),
        ("printf 'one\\ntwo' | while read l || [ -n \"$l\" ]; do echo $l; done", "one\ntwo\n"),
        ("readonly x=1; unset y; echo $x; export z=3; env | grep ^z", "1\nz=3\n"),
        ("echo 'echo $1 $#' > s; . ./s a b; sh s c", "a 2\nc 1\n"),
        ("[ -f /dev/null ] || [ -e /dev/null ] && [ 3 -gt 2 -a ! x = y ] && echo ok", "ok\n"),
        ("echo a; # comment\necho b \\\n c", "a\nb c\n"),
    ]);
}

#[test]
fn streams_are_redirected() {
    check(&[
        ("echo a > f; echo b >> f; cat < f; wc -l < f", "a\nb\n2\n"),
        (
            "{ echo out; echo err >&2; } 2>/dev/null; { echo out; echo err >&2; } 2>&1 >/dev/null | sed s/e/E/",
            "out\nErr\n",
        ),
        ("echo both &> f; cat f; (echo a; echo b) > f; cat f", "both\na\nb\n"),
        (
            "cat <<EOF; cat <<'EOF'; cat <<-EOF\nx $((1+1))\nEOF\nx $((1+1))\nEOF\n\ttabs\n\tEOF",
            "x 2\nx $((1+1))\ntabs\n",
        ),
        ("cat <<< word; cat <<A; cat <<B\none\nA\ntwo\nB", "word\none\ntwo\n"),
        ("exec 3> f; echo three >&3; exec 3>&-; cat f", "three\n"),
        ("{ { echo a; echo b >&3; } | tr a x; } 3>&1 | sort", "b\nx\n"),
        ("yes | head -n 2; seq 100000 | head -n 1", "y\ny\n1\n"),
        ("seq 3 > f; while read x; do echo $x; done < f", "1\n2\n3\n"),
        ("x=$(cat <<EOF\nin here\nEOF\n); echo $x", "in here\n"),
        ("set -C; echo a > f; (echo b > f) 2>/dev/null; cat f; echo c >| f; cat f", "a\nc\n"),
    ]);
}

#[test]
fn failures_have_their_codes_and_words() {
    for (text, code, words) in [
        ("nothing-here", 127, "sh: nothing-here: not found\n"),
        ("cat nowhere", 1, "cat: nowhere: No such file or directory\n"),
        ("echo x > no/where", 1, "sh: can't create no/where: No such file or directory\n"),
        ("set -u; echo $x; echo no", 2, "sh: x: parameter not set\n"),
        ("echo ${x:?is needed}", 2, "sh: x: is needed\n"),
        ("readonly x=1; x=2; echo no", 2, "sh: x: is read only\n"),
        ("set -e; false; echo no", 1, ""),
        ("set -e; if false; then :; fi; false || true; ! true; exit 5", 5, ""),
        ("echo $((1/0))", 2, "sh: divide by zero\n"),
        (
            "if true; then",
            2,
            "sh: line 1: syntax error: unexpected end of file (expecting elif or else or fi)\n",
        ),
        ("exit 300", 44, ""),
        ("kill $$; echo no", 143, ""),
        ("f() { f; }; f", 2, "sh: f: functions call each other too deeply\n"),
        ("kill -9 $$x", 1, "sh: kill: "),
        ("ls --nothing", 2, "ls: there is no option --nothing\n"),
        ("yes | false", 1, ""),
        ("cd nowhere || exit 9", 9, "sh: cd: can't cd to nowhere: No such file or directory\n"),
    ] {
        let (was, _, err) = sh(text);
        assert_eq!(was, code, "{text}: {err}");
        assert!(err.starts_with(words), "{text}: {err}");
    }
    assert_eq!(sh("set -x; x=1; echo $x 'a b'").2, "+ x=1\n+ echo 1 'a b'\n");
}

#[test]
fn a_script_may_come_from_standard_input() {
    let run = |input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_toolbox"))
            .arg("sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(
        run("echo a\nread x\nthis is read\necho $x\nexit 3\n"),
        (Some(3), "a\nthis is read\n".into())
    );
    assert_eq!(run("for x in 1 2\ndo echo $x\ndone"), (Some(0), "1\n2\n".into()));
}

#[test]
fn tools_do_what_they_are_known_for() {
    check(&[
        ("printf '%s-%03d|%-4s|%x|%5.1f|%c\\n' a 7 b 255 3.14159 xyz", "a-007|b   |ff|  3.1|x\n"),
        ("printf '%s\\n' a b c; printf '%d %s\\n' 1 x 2 y", "a\nb\nc\n1 x\n2 y\n"),
        ("echo -n a; echo -e 'b\\tc'; echo -- d", "ab\tc\n-- d\n"),
        ("seq 3 -1 1 | tr '\\n' ' '; seq -s , 2 2 6; seq -w 9 10", "3 2 1 2,4,6\n09\n10\n"),
        (
            "printf 'b 2\\na 10\\nc 1\\n' | sort; printf 'b 2\\na 10\\n' | sort -k2n; printf '3\\n1\\n3\\n' | sort -nu",
            "a 10\nb 2\nc 1\nb 2\na 10\n1\n3\n",
        ),
        (
            "printf 'a\\na\\nb\\n' | uniq -c; printf 'a\\na\\nb\\n' | uniq -d",
            "      2 a\n      1 b\na\n",
        ),
        (
            "echo a:b:c | cut -d: -f1,3; echo abcdef | cut -c2-4; echo hello | tr a-y b-z; echo aabb | tr -s ab; echo a1b2 | tr -d '[:digit:]'",
            "a:c\nbcd\nifmmp\nab\nab\n",
        ),
        (
            "printf 'one\\ntwo\\nthree\\n' > f; grep -n o f; grep -c t f; grep -v e f; grep -o 'th*' f; grep -E 'one|three' f | wc -l",
            "1:one\n2:two\n2\ntwo\nt\nth\n2\n",
        ),
        (
            "printf 'a\\nb\\nc\\nd\\ne\\n' | grep -B1 -A1 c; echo aXb | grep -i axb; echo a.b | grep -F .; echo ab | grep -q b && echo found",
            "b\nc\nd\naXb\na.b\nfound\n",
        ),
        (
            "printf 'one\\ntwo\\nthree\\n' | sed -n 2p; echo hello | sed 's/l/L/g; s/\\(h\\)e/\\1E/'; seq 5 | sed '2,4d'; echo a/b | sed 's|/|-|'; seq 3 | sed '$!d'",
            "two\nhELLo\n1\n5\na-b\n3\n",
        ),
        (
            "seq 3 | sed -e '2i\\' -e x -e '2a y' -e '1c z'; echo abc | sed y/abc/xyz/; seq 9 | sed -n '/3/,/5/p;7q'",
            "z\nx\n2\ny\n3\nxyz\n3\n4\n5\n",
        ),
        ("printf 'a\\n' > f; sed -i s/a/b/ f; cat f", "b\n"),
        (
            "mkdir -p d/e; touch d/a.txt d/e/b.txt; find d -name '*.txt' | sort; find d -type d; find d -name a.txt -exec echo got {} ';'",
            "d/a.txt\nd/e/b.txt\nd\nd/e\ngot d/a.txt\n",
        ),
        (
            "printf 'a b\\nc\\n' | xargs; printf 'a b c' | xargs -n2 echo x; echo a | xargs -I{} echo '<{}>'",
            "a b c\nx a b\nx c\n<a>\n",
        ),
        (
            "echo hello > f; cp f g; mv g h; ln -s h l; cat l; readlink l; rm f; ls; [ -L l ] && rm -rf h l",
            "hello\nh\nh\nl\n",
        ),
        (
            "echo hi | tee f g > /dev/null; cat f g; cmp f g && echo same; mkdir d; rmdir d; touch t; stat -c '%n %s %F' t f",
            "hi\nhi\nsame\nt 0 regular empty file\nf 3 regular file\n",
        ),
        ("basename /a/b.txt .txt; dirname /a/b.txt; basename /; dirname a", "b\n/a\n/\n.\n"),
        (
            "echo hello | base64; echo aGVsbG8K | base64 -d; printf abc | sha256sum; printf abc | md5sum",
            "aGVsbG8K\nhello\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n900150983cd24fb0d6963f7d28e17f72  -\n",
        ),
        ("echo 12 > f; sha256sum f > s; sha256sum -c s", "f: OK\n"),
        (
            "printf 'AB\\n' | hexdump -C; printf 'AB\\n' | od -c; printf AB | od -t x1",
            "00000000  41 42 0a                                          |AB.|\n00000003\n0000000   A   B  \\n\n0000003\n0000000 41 42\n0000002\n",
        ),
        (
            "printf 'a\\nb\\nc\\n' > x; printf 'a\\nB\\nc\\n' > y; diff x y; [ $? = 1 ]",
            "--- x\n+++ y\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n",
        ),
        (
            "mkdir d; seq 1000 > d/f; ln -s f d/l; tar czf a.tgz d; rm -r d; tar tzf a.tgz; tar xzf a.tgz; wc -l d/l; gzip -k d/f; zcat d/f.gz | tail -n1",
            "d/\nd/f\nd/l\n1000 d/l\n1000\n",
        ),
        (
            "date -u -d @0 '+%Y-%m-%d %H:%M:%S'; date -d '2024-02-29 12:00' +%s; date -d @86399 +%j",
            "1970-01-01 00:00:00\n1709208000\n001\n",
        ),
        (
            "seq 10 | tail -n 2; seq 10 | head -c 3; seq 5 | tail -n +4; seq 3 | head -n -1; seq 12 | head -2",
            "9\n10\n1\n24\n5\n1\n2\n1\n2\n",
        ),
        ("printf 'a b\\nc\\n' | wc; printf 'ä' | wc -m; printf 'ä' | wc -c", "2 3 6\n1\n2\n"),
        (
            "expr 2 + 3 '*' 4; expr abc : 'a\\(.*\\)'; expr length hello; expr 3 '>' 2",
            "14\nbc\n5\n1\n",
        ),
        (
            "timeout 0.05 sleep 10; echo $?; timeout 10 echo fine; env -i A=b env; printenv HOME",
            "124\nfine\nA=b\n/root\n",
        ),
        (
            "printf '1\\n2\\n' > a; printf 'x\\ny\\n' | paste -d, a -; seq 3 | tac | rev; seq 2 | nl",
            "1,x\n2,y\n3\n2\n1\n     1\t1\n     2\t2\n",
        ),
        (
            "mkdir -p a/b; cd a/b; pwd | sed 's|.*/a|a|'; cd - >/dev/null; realpath a/../a/b | sed 's|.*/a|a|'",
            "a/b\na/b\n",
        ),
        (
            "id; id -u; whoami; uname; uname -m",
            "uid=0(root) gid=0(root) groups=0(root)\n0\nroot\nWASI\nwasm32\n",
        ),
        (
            "f=$(mktemp -p .); [ -f $f ] && echo made; d=$(mktemp -d ./XXXXXX); [ -d $d ] && echo made",
            "made\nmade\n",
        ),
        (
            "ls --help | head -n1; which ls nothing; echo $?",
            "usage: ls [-alhRdt1FSrip] [PATH...]\nls: of the toolbox\n1\n",
        ),
        (
            "mkdir d; touch d/b d/a d/.h; ls d; ls -a d; ls -F; ls d/a d/b; ls -r d",
            "a\nb\n.\n..\n.h\na\nb\nd/\nd/a\nd/b\nb\na\n",
        ),
    ]);
}
