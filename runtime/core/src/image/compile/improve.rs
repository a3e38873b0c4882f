//! Better code in place of what was made quickly.
//!
//! Nobody waits for it, and a command that is over in a second would never see it come: so the process
//! that has it made lives on without whoever asked. It reads no image, has one compiled as always, in a
//! child of its own that ends with it, and puts the code in the place of the other. Who has mapped that
//! keeps it. One improvement of a code goes on at a time, behind everything else on the machine.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;

use super::request::Task;
use crate::image::child_program::Unpacked;

/// Starts the process and answers whether it goes on. `held` is its program for as long as it is needed.
pub(super) fn start(mut command: Command, held: Option<Unpacked>, task: &Task) -> bool {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return false };
    let line = serde_json::to_string(task).expect("a task has no maps") + "\n";
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(line.as_bytes());
    }
    // Only so that no zombie stays of it.
    thread::spawn(move || {
        let _ = child.wait();
        drop(held);
    });
    true
}

#[cfg(feature = "compiler")]
pub(super) use here::carry_out;

#[cfg(feature = "compiler")]
mod here {
    use std::env;
    use std::fs::{self, File};
    use std::os::unix::process::CommandExt as _;
    use std::path::Path;
    use std::process::Command;

    use rustix::process::setsid;

    use crate::image::compile::cancel::Cancel;
    use crate::image::compile::child;
    use crate::image::compile::request::{CompileError, Compiled, Improvement, Task};

    /// The work of that process.
    pub(in crate::image::compile) fn carry_out(improvement: &Improvement) {
        // Neither the end of a terminal nor a key at it is for this process.
        let _ = setsid();
        let output = &improvement.request.output;
        improve(improvement);
        let workplace = output.parent().unwrap_or(Path::new(""));
        let _ = fs::remove_dir_all(workplace);
    }

    fn improve(improvement: &Improvement) {
        let lock = File::options().create(true).append(true).open(&improvement.lock);
        let Ok(lock) = lock else { return };
        if lock.try_lock().is_err() || !improvement.mark.exists() {
            return;
        }
        match compile(improvement) {
            Ok(compiled) if compiled.digest == improvement.digest => {
                if fs::rename(&improvement.request.output, &improvement.code).is_ok() {
                    let _ = fs::remove_file(&improvement.mark);
                }
            }
            // Tried again, it would fail again: what there is will do.
            Err(CompileError::Invalid(_) | CompileError::Kind(_)) => {
                let _ = fs::remove_file(&improvement.mark);
            }
            Ok(_) | Err(CompileError::Host(_) | CompileError::Cancelled) => {}
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
