//! Better code in place of what was made quickly.
//!
//! A command that is over in a second would never see it come: so the process that has it made lives on
//! without whoever asked. It reads no image, has one compiled as always, in a child of its own that ends
//! with it, and puts the code in the place of the other. Who has mapped that keeps it. One improvement of
//! all goes on at a time, behind everything else on the machine.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use super::child;
use super::request::Task;

/// Has the process do its work, and waits for its end.
pub(super) fn run(mut command: Command, task: &Task) -> io::Result<()> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = child::start(&mut command)?;
    let line = serde_json::to_string(task).expect("a task has no maps") + "\n";
    let told = process.stdin.take().map(|mut stdin| stdin.write_all(line.as_bytes()));
    process.wait()?;
    told.unwrap_or(Ok(()))
}

#[cfg(feature = "compiler")]
pub(super) use here::carry_out;

#[cfg(feature = "compiler")]
mod here {
    use std::env;
    use std::fs::{self, File};
    use std::io;
    use std::os::unix::process::CommandExt as _;
    use std::path::Path;
    use std::process::Command;

    use rustix::process::{chdir, setsid};

    use crate::image::compile::cancel::Cancel;
    use crate::image::compile::child;
    use crate::image::compile::request::{CompileError, Compiled, Improvement, Task};

    /// The work of that process.
    pub(in crate::image::compile) fn carry_out(improvement: &Improvement) {
        leave_everything();
        let _ = improve(improvement);
        let output = &improvement.request.output;
        let _ = fs::remove_dir_all(output.parent().unwrap_or(Path::new("")));
    }

    /// Whoever asked may have a terminal, a working folder and descriptors that somebody waits for the end
    /// of: none of them are for this process.
    fn leave_everything() {
        let _ = setsid();
        let _ = chdir("/");
        #[expect(unsafe_code, reason = "no safe function closes what nobody here has opened")]
        // SAFETY: nothing is opened before a task is read but the standard streams.
        unsafe {
            libc::close_range(3, libc::c_uint::MAX, 0)
        };
    }

    fn improve(improvement: &Improvement) -> io::Result<()> {
        let lock = |path| File::options().create(true).append(true).open(path);
        let mine = lock(&improvement.lock)?;
        if mine.try_lock().is_err() {
            return Ok(());
        }
        let turn = lock(&improvement.turn)?;
        turn.lock()?;
        if !improvement.mark.exists() {
            return Ok(());
        }
        match compile(improvement) {
            Ok(compiled) if compiled.digest == improvement.digest => {
                fs::rename(&improvement.request.output, &improvement.code)?;
                fs::remove_file(&improvement.mark)
            }
            // The file is another's by now.
            Ok(_) => Ok(()),
            // Whatever it is, each start would come to it again: the next tries wait for a day.
            Err(error) => fs::write(&improvement.mark, error.to_string()),
        }
    }

    fn compile(improvement: &Improvement) -> Result<Compiled, CompileError> {
        // This program, wherever it is: it may have no file.
        let mut command = Command::new("/proc/self/exe");
        let mut arguments = env::args_os();
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        command.args(arguments);
        let task = Task::Compile(improvement.request.clone());
        child::ask(command, &task, &Cancel::default()).0
    }
}
