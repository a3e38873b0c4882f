//! Queues and segments as a guest has them as files.

use super::*;
use crate::sandbox::ipc::{Creation, IpcError, Patience};

fn run() -> RunIpc {
    RunIpc::apart()
}

fn shared() -> IpcFolder {
    IpcFolder::shared()
}

const READ: Opening =
    Opening { creation: Creation::Never, folder: false, truncate: false, read: true, write: false };
const WRITE: Opening = Opening { read: false, write: true, ..READ };
const CREATE: Opening = Opening { creation: Creation::IfMissing, ..WRITE };

fn file(opened: Result<Opened, IpcError>) -> IpcFile {
    match opened {
        Ok(Opened::File(file)) => file,
        other => panic!("{other:?}"),
    }
}

async fn read(run: &RunIpc, file: &IpcFile, most: usize) -> Result<String, IpcError> {
    let bytes = file.read(run, 0, most, Patience::None).await?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn a_write_is_a_message_and_a_read_takes_one() {
    let run = run();
    let open = |opening| run.open(&IpcFolder::Queues, "jobs", opening);
    assert_eq!(open(READ).unwrap_err(), IpcError::NotFound);
    let (sender, status) = (file(open(CREATE)), file(open(READ)));
    let both = file(open(Opening { read: true, ..WRITE }));
    for text in ["first", "second", ""] {
        sender.write(&run, Some(0), text.as_bytes(), Patience::None).await.unwrap();
    }
    assert_eq!(
        sender.write(&run, None, &[0; 8193], Patience::None).await,
        Err(IpcError::MessageSize)
    );
    assert_eq!(read(&run, &sender, 10).await, Err(IpcError::BadDescriptor));
    assert_eq!(status.write(&run, None, b"x", Patience::None).await, Err(IpcError::BadDescriptor));
    let text = "QSIZE:11         NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n";
    assert_eq!(read(&run, &status, 100).await.as_deref(), Ok(text));
    assert_eq!(read(&run, &both, 3).await.as_deref(), Ok("fir"));
    assert_eq!(read(&run, &both, 100).await.as_deref(), Ok("st"));
    assert_eq!(read(&run, &both, 100).await.as_deref(), Ok("second"));
    assert_eq!(read(&run, &both, 100).await.as_deref(), Ok(""));
    assert_eq!(read(&run, &both, 100).await, Err(IpcError::WouldBlock));
}

#[test]
fn the_folder_of_queues_holds_nothing_else() {
    let run = run();
    let queues = IpcFolder::Queues;
    file(run.open(&queues, "q", CREATE));
    assert_eq!(run.list(&queues), Ok(vec![("q".to_owned(), false)]));
    assert_eq!(run.stat(&queues, "q").map(|stat| (stat.folder, stat.size)), Ok((false, 80)));
    assert_eq!(run.create_folder(&queues, "f"), Err(IpcError::NotPermitted));
    assert_eq!(run.remove_folder(&queues, "q"), Err(IpcError::NotFolder));
    assert_eq!(run.rename((&queues, "q"), (&queues, "p")), Err(IpcError::NotPermitted));
    assert_eq!(run.rename((&shared(), "q"), (&queues, "p")), Err(IpcError::NotPermitted));
    assert_eq!(run.unlink(&queues, "../q"), Err(IpcError::NotPermitted));
    assert_eq!(run.open(&queues, "a/b", CREATE).unwrap_err(), IpcError::Access);
    let as_folder = Opening { folder: true, ..READ };
    assert_eq!(run.open(&queues, "q", as_folder).unwrap_err(), IpcError::NotFolder);
    assert!(matches!(run.open(&queues, ".", as_folder), Ok(Opened::Folder(IpcFolder::Queues))));
    run.unlink(&queues, "q").unwrap();
    assert_eq!(run.stat(&queues, "q"), Err(IpcError::NotFound));
}

#[test]
fn each_folder_is_itself() {
    let run = run();
    let shm = shared();
    run.create_folder(&shm, "f").unwrap();
    run.create_folder(&shm, "f/g").unwrap();
    file(run.open(&shm, "f/x", CREATE));
    let stat = |path| run.stat(&shm, path).unwrap();
    let Ok(Opened::Folder(folder)) = run.open(&shm, "f", READ) else { panic!("no folder") };
    assert_eq!((folder.stat(), run.stat(&folder, ".")), (stat("f"), Ok(stat("f"))));
    assert_eq!((run.stat(&folder, ".."), shm.stat()), (Ok(stat(".")), stat(".")));
    let queues = IpcFolder::Queues;
    assert_eq!(run.stat(&queues, "."), Ok(queues.stat()));
    let all = [queues.stat(), stat("."), stat("f"), stat("f/g"), stat("f/x")];
    let ids: std::collections::BTreeSet<u64> = all.iter().map(|stat| stat.id).collect();
    assert_eq!(ids.len(), all.len());
    run.rename((&shm, "f"), (&shm, "h")).unwrap();
    assert_eq!(stat("h"), folder.stat());
}

#[tokio::test]
async fn segments_are_files_in_folders() {
    let run = run();
    let shm = shared();
    run.create_folder(&shm, "f").unwrap();
    let Ok(Opened::Folder(folder)) = run.open(&shm, "f", READ) else { panic!("no folder") };
    assert_eq!(run.open(&shm, "f", WRITE).unwrap_err(), IpcError::IsFolder);
    let written = file(run.open(&folder, "x", CREATE));
    written.write(&run, Some(2), b"ab", Patience::None).await.unwrap();
    written.write(&run, None, b"c", Patience::None).await.unwrap();
    let again = file(run.open(&shm, "f/x", READ));
    assert_eq!(read(&run, &again, 100).await.as_deref(), Ok("\0\0abc"));
    assert_eq!(again.set_size(1), Err(IpcError::Invalid));
    assert_eq!(run.stat(&folder, "x").unwrap(), again.stat());
    run.rename((&folder, "x"), (&shm, "y")).unwrap();
    assert_eq!(run.list(&shm), Ok(vec![("f".to_owned(), true), ("y".to_owned(), false)]));
    file(run.open(&shm, "y", Opening { truncate: true, ..WRITE }));
    assert_eq!(again.stat().size, 0);
    run.remove_folder(&shm, "f").unwrap();
    assert_eq!(run.list(&folder), Err(IpcError::NotFound));
    let segment = run.pod().open_segment(run.memory(), "/y", Creation::Never).unwrap();
    assert_eq!(segment.id(), again.stat().id);
}
