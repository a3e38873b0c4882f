//! The Pod's queues and segments, step by step.
//!
//! `ipc STEP...` does one after the other and says what each comes to: `STEP: ANSWER`, or the error by its
//! name. CREATION is `never`, `missing` or `always`, PATIENCE `none`, `endless` or milliseconds; NAME in a
//! step is what later ones call the thing.
//!
//! | step | deed |
//! |---|---|
//! | `queue NAME PATH CREATION [MESSAGES BYTES]` | opens a queue |
//! | `send NAME PRIORITY TEXT PATIENCE`, `receive NAME PATIENCE`, `status NAME` | as they say |
//! | `flood NAME BYTES COUNT` | sends so many messages of so many bytes; says how many went in |
//! | `queues COUNT` | opens so many queues; says how many it could |
//! | `keyed NAME KEY CREATION` | has a queue by its key |
//! | `put NAME KIND TEXT PATIENCE`, `take NAME WANTED PATIENCE`, `remove NAME` | as `msgsnd`, `msgrcv`, `IPC_RMID` |
//! | `segment NAME PATH CREATION`, `shared NAME KEY SIZE CREATION` | has a segment |
//! | `resize NAME BYTES`, `size NAME`, `write NAME OFFSET TEXT`, `read NAME OFFSET LENGTH` | as they say |
//! | `fill NAME MIB` | makes it so large and writes to all of it; says how much went in |
//! | `swap NAME OFFSET EXPECTED NEW`, `swap64 …` | compares and swaps a word |
//! | `count NAME TIMES` | adds 1 so often to the number at 8, under the lock at 0 |
//! | `unlink PATH`, `unlink-segment PATH`, `remove-segment KEY`, `close NAME` | as they say |
//! | `sleep MILLISECONDS` | |

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use wasmpod_guest::ipc::{
    Creation, Error, KeyedQueue, Patience, Queue, QueueSize, Segment, remove_segment, unlink_queue,
    unlink_segment,
};

use crate::{Failure, Outcome};

pub(crate) fn deed(words: &[&str]) -> Option<Outcome> {
    match words {
        ["ipc", steps @ ..] => Some(take_steps(steps)),
        _ => None,
    }
}

fn take_steps(steps: &[&str]) -> Outcome {
    let mut things = Things::default();
    for step in steps {
        let words: Vec<&str> = step.split(' ').collect();
        match things.take(&words)? {
            Ok(answer) => println!("{step}: {answer}"),
            Err(error) => println!("{step}: {error:?}"),
        }
    }
    Ok(())
}

#[derive(Default)]
struct Things(BTreeMap<String, Thing>);

enum Thing {
    Queue(Queue),
    KeyedQueue(KeyedQueue),
    Segment(Segment),
}

type Answer = Result<String, Error>;

impl Things {
    fn take(&mut self, words: &[&str]) -> Result<Answer, Failure> {
        Ok(match words {
            ["queue", name, path, creation] => {
                let queue = Queue::open(path, created(creation)?).map(Thing::Queue);
                self.keep(name, queue)
            }
            ["queue", name, path, creation, messages, message_bytes] => {
                let (messages, message_bytes) = (messages.parse()?, message_bytes.parse()?);
                let size = QueueSize { messages, message_bytes };
                let queue = Queue::open_sized(path, created(creation)?, size).map(Thing::Queue);
                self.keep(name, queue)
            }
            ["send", name, priority, text, waits] => {
                let (priority, waits) = (priority.parse()?, patience(waits)?);
                self.queue(name)?.send(text.as_bytes(), priority, waits).map(done)
            }
            ["receive", name, waits] => {
                let message = self.queue(name)?.receive(patience(waits)?);
                message.map(|message| format!("{} {}", message.priority, text(&message.body)))
            }
            ["status", name] => self.queue(name)?.status().map(|status| {
                let size = status.size;
                let (messages, bytes) = (status.messages, status.bytes);
                format!(
                    "{messages} of {}, {bytes} bytes, {} each",
                    size.messages, size.message_bytes
                )
            }),
            ["flood", name, bytes, count] => {
                let (queue, bytes) = (self.queue(name)?, vec![b'x'; bytes.parse()?]);
                Ok(until_refused(count.parse()?, |_| queue.send(&bytes, 0, Patience::None)))
            }
            ["queues", count] => {
                let mut queues = Vec::new();
                Ok(until_refused(count.parse()?, |number| {
                    queues.push(Queue::open(&format!("/many{number}"), Creation::IfMissing)?);
                    Ok(())
                }))
            }
            ["keyed", name, key, creation] => {
                let queue = KeyedQueue::get(key.parse()?, created(creation)?);
                self.keep(name, queue.map(Thing::KeyedQueue))
            }
            ["put", name, kind, text, waits] => {
                let (kind, waits) = (kind.parse()?, patience(waits)?);
                self.keyed(name)?.send(kind, text.as_bytes(), waits).map(done)
            }
            ["take", name, wanted, waits] => {
                let message = self.keyed(name)?.receive(wanted.parse()?, patience(waits)?);
                message.map(|message| format!("{} {}", message.kind, text(&message.body)))
            }
            ["remove", name] => self.keyed(name)?.remove().map(done),
            ["segment", name, path, creation] => {
                let segment = Segment::open(path, created(creation)?).map(Thing::Segment);
                self.keep(name, segment)
            }
            ["shared", name, key, size, creation] => {
                let segment = Segment::get(key.parse()?, size.parse()?, created(creation)?);
                self.keep(name, segment.map(Thing::Segment))
            }
            ["resize", name, bytes] => self.segment(name)?.set_size(bytes.parse()?).map(done),
            ["size", name] => self.segment(name)?.size().map(|size| size.to_string()),
            ["write", name, offset, text] => {
                self.segment(name)?.write(offset.parse()?, text.as_bytes()).map(done)
            }
            ["read", name, offset, length] => {
                let mut bytes = vec![0; length.parse()?];
                let read = self.segment(name)?.read(offset.parse()?, &mut bytes);
                read.map(|read| text(&bytes[..read]))
            }
            ["fill", name, mib] => {
                let (segment, mib) = (self.segment(name)?, mib.parse::<u64>()?);
                segment.set_size(mib << 20).map(|()| {
                    let bytes = vec![b'x'; 1 << 20];
                    until_refused(mib, |number| segment.write(number << 20, &bytes))
                })
            }
            ["swap", name, offset, expected, new] => {
                let (offset, expected, new) = (offset.parse()?, expected.parse()?, new.parse()?);
                let found = self.segment(name)?.compare_and_swap32(offset, expected, new);
                found.map(|found| found.to_string())
            }
            ["swap64", name, offset, expected, new] => {
                let (offset, expected, new) = (offset.parse()?, expected.parse()?, new.parse()?);
                let found = self.segment(name)?.compare_and_swap64(offset, expected, new);
                found.map(|found| found.to_string())
            }
            ["count", name, times] => count(self.segment(name)?, times.parse()?),
            ["unlink", path] => unlink_queue(path).map(done),
            ["unlink-segment", path] => unlink_segment(path).map(done),
            ["remove-segment", key] => remove_segment(key.parse()?).map(done),
            ["close", name] => {
                self.0.remove(*name).ok_or("it is not open")?;
                Ok(done(()))
            }
            ["sleep", milliseconds] => {
                sleep(Duration::from_millis(milliseconds.parse()?));
                Ok(done(()))
            }
            _ => return Err("no such step".into()),
        })
    }

    fn keep(&mut self, name: &str, thing: Result<Thing, Error>) -> Answer {
        self.0.insert(name.to_owned(), thing?);
        Ok(done(()))
    }

    fn queue(&self, name: &str) -> Result<&Queue, Failure> {
        match self.0.get(name) {
            Some(Thing::Queue(queue)) => Ok(queue),
            _ => Err("no such queue".into()),
        }
    }

    fn keyed(&self, name: &str) -> Result<&KeyedQueue, Failure> {
        match self.0.get(name) {
            Some(Thing::KeyedQueue(queue)) => Ok(queue),
            _ => Err("no such queue".into()),
        }
    }

    fn segment(&self, name: &str) -> Result<&Segment, Failure> {
        match self.0.get(name) {
            Some(Thing::Segment(segment)) => Ok(segment),
            _ => Err("no such segment".into()),
        }
    }
}

fn until_refused(count: u64, mut act: impl FnMut(u64) -> Result<(), Error>) -> String {
    for number in 0..count {
        if let Err(error) = act(number) {
            return format!("{number}, {error:?}");
        }
    }
    count.to_string()
}

fn count(segment: &Segment, times: u32) -> Answer {
    let mut last = 0;
    for _ in 0..times {
        let _lock = segment.lock(0)?;
        let mut number = [0; 4];
        segment.read(8, &mut number)?;
        last = u32::from_le_bytes(number) + 1;
        segment.write(8, &last.to_le_bytes())?;
    }
    Ok(last.to_string())
}

fn created(word: &str) -> Result<Creation, Failure> {
    match word {
        "never" => Ok(Creation::Never),
        "missing" => Ok(Creation::IfMissing),
        "always" => Ok(Creation::Always),
        _ => Err("no such creation".into()),
    }
}

fn patience(word: &str) -> Result<Patience, Failure> {
    Ok(match word {
        "none" => Patience::None,
        "endless" => Patience::Endless,
        milliseconds => Patience::Within(Duration::from_millis(milliseconds.parse()?)),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn done((): ()) -> String {
    "ok".to_owned()
}
