//! `sed`: addresses, `s`, `d`, `p`, `q`, `a`, `i`, `c`, `y`, `n`, `=`, blocks.

mod editor;
mod script;

use editor::Editor;

use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;

/// `sed`
pub(super) fn sed(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("quiet", 'n'),
        ("silent", 'n'),
        ("expression", 'e'),
        ("file", 'f'),
        ("regexp-extended", 'E'),
        ("in-place", 'i'),
    ];
    let options = Options::read(call.words, "ne:f:Eris", &long)?;
    let mut operands = options.operands.clone();
    let mut scripts: Vec<String> = options.values('e').map(str::to_owned).collect();
    for path in options.values('f') {
        let mut input = Input::new(Fd::open(path, Mode::Read)?);
        scripts.push(String::from_utf8_lossy(&super::texts::whole(&mut input)?).into_owned());
    }
    if scripts.is_empty() {
        if operands.is_empty() {
            return Err(Failure::Usage("a script is needed".to_owned()));
        }
        scripts.push(operands.remove(0));
    }
    let script = scripts.join("\n");
    let extended = options.last_of("Er").is_some();
    let commands = script::read(&script, extended).map_err(Failure::Usage)?;
    let mut editor = Editor::new(commands, options.has('n'));
    if !options.has('i') {
        return editor.files(call, &operands);
    }
    let mut code = 0;
    for path in operands {
        let mut edited = Vec::new();
        let outcome = editor.file(call, std::slice::from_ref(&path), |_, bytes| {
            edited.extend_from_slice(bytes);
            Ok(())
        })?;
        code = code.max(outcome);
        if outcome == 0
            && let Err(error) = std::fs::write(crate::path::absolute(&path), edited)
        {
            call.complain(&path, &error);
            code = 1;
        }
    }
    Ok(code)
}
