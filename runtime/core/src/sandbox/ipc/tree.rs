//! The names below `/dev/shm`: files and folders, as in a tmpfs without links. Pure.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::IpcError;
use super::names::LONGEST_PATH;

/// The number of the root.
pub(super) const ROOT: u64 = 1;

/// What a name leads to.
#[derive(Debug)]
pub(super) enum Node<File> {
    /// With a number that tells it from all else of the Pod.
    Folder(u64),
    File(File),
}

/// All names. A path is one of [`names::path`](super::names::path); the empty one is the root, which is
/// always there.
#[derive(Debug)]
pub(super) struct Tree<File, Charge> {
    nodes: BTreeMap<String, (Node<File>, Charge)>,
}

impl<File, Charge> Default for Tree<File, Charge> {
    fn default() -> Self {
        Self { nodes: BTreeMap::new() }
    }
}

impl<File, Charge> Tree<File, Charge> {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// # Errors
    /// [`IpcError::NotFound`], [`IpcError::NotFolder`] where a file is on the way.
    pub(super) fn get(&self, path: &str) -> Result<&Node<File>, IpcError> {
        if path.is_empty() {
            return Ok(&Node::Folder(ROOT));
        }
        match self.nodes.get(path) {
            Some((node, _)) => Ok(node),
            None => Err(self.why_missing(path)),
        }
    }

    /// Puts a new node under `path`.
    ///
    /// # Errors
    /// [`IpcError::Exists`], and those of the folder that it would be in.
    pub(super) fn insert(
        &mut self,
        path: String,
        node: Node<File>,
        charge: Charge,
    ) -> Result<(), IpcError> {
        self.check_free(&path)?;
        self.nodes.insert(path, (node, charge));
        Ok(())
    }

    /// Whether a new node could be under `path`.
    ///
    /// # Errors
    /// As [`Tree::insert`].
    pub(super) fn check_free(&self, path: &str) -> Result<(), IpcError> {
        if path.is_empty() || self.nodes.contains_key(path) {
            return Err(IpcError::Exists);
        }
        self.check_folder(parent(path))
    }

    /// # Errors
    /// [`IpcError::IsFolder`], and those of [`Tree::get`].
    pub(super) fn remove_file(&mut self, path: &str) -> Result<File, IpcError> {
        match self.get(path)? {
            Node::Folder(_) => Err(IpcError::IsFolder),
            Node::File(_) => match self.nodes.remove(path) {
                Some((Node::File(file), _)) => Ok(file),
                _ => Err(IpcError::NotFound),
            },
        }
    }

    /// # Errors
    /// [`IpcError::NotEmpty`], [`IpcError::NotPermitted`] for the root, and those of [`Tree::get`].
    pub(super) fn remove_folder(&mut self, path: &str) -> Result<(), IpcError> {
        if path.is_empty() {
            return Err(IpcError::NotPermitted);
        }
        self.check_folder(path)?;
        if self.below(path).next().is_some() {
            return Err(IpcError::NotEmpty);
        }
        self.nodes.remove(path);
        Ok(())
    }

    /// Moves a node, and all below it; a file takes the place of a file, a folder that of an empty one.
    /// `pay` makes a charge that of a path of so many bytes; less it never refuses.
    ///
    /// # Errors
    /// As rename(2) has them, [`IpcError::NameTooLong`] also for a path below, and those of `pay`. Nothing
    /// has moved then.
    pub(super) fn rename(
        &mut self,
        from: &str,
        to: &str,
        pay: impl FnMut(&mut Charge, usize) -> Result<(), IpcError>,
    ) -> Result<(), IpcError> {
        if from.is_empty() || to.is_empty() {
            return Err(IpcError::NotPermitted);
        }
        let is_folder = matches!(self.get(from)?, Node::Folder(_));
        if from == to {
            return Ok(());
        }
        if is_folder && is_below(to, from) {
            return Err(IpcError::Invalid);
        }
        self.check_folder(parent(to))?;
        match (self.nodes.get(to).map(|(node, _)| node), is_folder) {
            (Some(Node::Folder(_)), false) => return Err(IpcError::IsFolder),
            (Some(Node::File(_)), true) => return Err(IpcError::NotFolder),
            (Some(Node::Folder(_)), true) if self.below(to).next().is_some() => {
                return Err(IpcError::NotEmpty);
            }
            (Some(Node::Folder(_)), true) | (Some(Node::File(_)), false) | (None, _) => {}
        }
        let longest = self.below(from).map(|(path, _)| path.len() - from.len()).max();
        if to.len() + longest.unwrap_or(0) > LONGEST_PATH {
            return Err(IpcError::NameTooLong);
        }
        self.pay_for_rename(from, to, pay)?;
        // One after the other: a list of them all would be as large as they are.
        let next = |tree: &Self| tree.below(from).next().map(|(path, _)| path.clone());
        while let Some(path) = next(self) {
            self.relocate(&path, &format!("{to}{}", &path[from.len()..]));
        }
        self.relocate(from, to);
        Ok(())
    }

    /// Has all that a rename moves paid for by its new path, or nothing.
    fn pay_for_rename(
        &mut self,
        from: &str,
        to: &str,
        mut pay: impl FnMut(&mut Charge, usize) -> Result<(), IpcError>,
    ) -> Result<(), IpcError> {
        let mut paid = 0;
        let outcome = self.charges(from).try_for_each(|(path, charge)| {
            pay(charge, path.len() - from.len() + to.len()).map(|()| paid += 1)
        });
        if outcome.is_err() {
            for (path, charge) in self.charges(from).take(paid) {
                // It is less, or as much.
                let _ = pay(charge, path.len());
            }
        }
        outcome
    }

    fn relocate(&mut self, from: &str, to: &str) {
        if let Some(node) = self.nodes.remove(from) {
            self.nodes.insert(to.to_owned(), node);
        }
    }

    /// The charges of `path` and of all below it.
    fn charges<'tree>(
        &'tree mut self,
        path: &'tree str,
    ) -> impl Iterator<Item = (&'tree String, &'tree mut Charge)> {
        let all = self.nodes.range_mut::<str, _>((Bound::Included(path), Bound::Unbounded));
        all.take_while(move |(other, _)| other.starts_with(path))
            // `a.c` is between `a` and `a/b`.
            .filter(move |(other, _)| other.as_str() == path || is_below(other, path))
            .map(|(other, (_, charge))| (other, charge))
    }

    /// The names in a folder.
    ///
    /// # Errors
    /// Those of [`Tree::get`].
    pub(super) fn list(&self, path: &str) -> Result<Vec<(String, &Node<File>)>, IpcError> {
        self.check_folder(path)?;
        let start = if path.is_empty() { 0 } else { path.len() + 1 };
        let direct = self.below(path).filter(|(below, _)| !below[start..].contains('/'));
        Ok(direct.map(|(below, node)| (below[start..].to_owned(), node)).collect())
    }

    fn below<'tree>(
        &'tree self,
        path: &str,
    ) -> impl Iterator<Item = (&'tree String, &'tree Node<File>)> + use<'tree, File, Charge> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let from = Bound::Included(prefix.clone());
        let nodes = self.nodes.range((from, Bound::Unbounded));
        nodes
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .map(|(path, (node, _))| (path, node))
    }

    fn check_folder(&self, path: &str) -> Result<(), IpcError> {
        match self.get(path)? {
            Node::Folder(_) => Ok(()),
            Node::File(_) => Err(IpcError::NotFolder),
        }
    }

    /// Why nothing is at `path`: a file among the folders on the way is another reason than none.
    fn why_missing(&self, path: &str) -> IpcError {
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        let is_file = |folder: &str| matches!(self.nodes.get(folder), Some((Node::File(_), _)));
        if folders.into_iter().any(is_file) { IpcError::NotFolder } else { IpcError::NotFound }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree<u32, ()> {
        let mut tree = Tree::default();
        for (number, path) in (0..).zip(paths) {
            let node = match path.strip_suffix('/') {
                Some(_) => Node::Folder(2),
                None => Node::File(number),
            };
            tree.insert(path.trim_end_matches('/').to_owned(), node, ()).unwrap();
        }
        tree
    }

    fn paths(tree: &Tree<u32, ()>) -> String {
        tree.nodes.keys().cloned().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_folder_lists_what_is_directly_in_it() {
        let tree = tree(&["a/", "a/b", "a/c/", "a/c/d", "a.b", "ab"]);
        let names = |path| tree.list(path).unwrap().into_iter().map(|(name, _)| name);
        assert_eq!(names("").collect::<Vec<_>>(), ["a", "a.b", "ab"]);
        assert_eq!(names("a").collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(tree.list("ab").unwrap_err(), IpcError::NotFolder);
        assert_eq!(tree.list("x").unwrap_err(), IpcError::NotFound);
        assert_eq!(tree.get("ab/x").unwrap_err(), IpcError::NotFolder);
    }

    #[test]
    fn names_are_taken_once_and_in_folders() {
        let mut tree = tree(&["a/", "f"]);
        for (path, error) in [
            ("a", IpcError::Exists),
            ("", IpcError::Exists),
            ("f/x", IpcError::NotFolder),
            ("b/x", IpcError::NotFound),
        ] {
            assert_eq!(tree.insert(path.to_owned(), Node::File(9), ()), Err(error), "{path}");
        }
        tree.insert("a/x".to_owned(), Node::File(9), ()).unwrap();
        assert_eq!(tree.remove_folder("a"), Err(IpcError::NotEmpty));
        assert_eq!(tree.remove_folder("f"), Err(IpcError::NotFolder));
        assert_eq!(tree.remove_folder(""), Err(IpcError::NotPermitted));
        assert_eq!(tree.remove_file("a"), Err(IpcError::IsFolder));
        assert_eq!(tree.remove_file("a/x"), Ok(9));
        assert_eq!(tree.remove_file("a/x"), Err(IpcError::NotFound));
        tree.remove_folder("a").unwrap();
        assert_eq!((paths(&tree).as_str(), tree.len()), ("f", 1));
    }

    #[test]
    fn nodes_move_with_all_below_them() {
        let mut tree = tree(&["a/", "a/b", "a.c", "full/", "full/x", "empty/", "f"]);
        for (from, to, error) in [
            ("nope", "x", IpcError::NotFound),
            ("a", "a/x", IpcError::Invalid),
            ("a", "full", IpcError::NotEmpty),
            ("a", "f", IpcError::NotFolder),
            ("f", "a", IpcError::IsFolder),
            ("f", "nope/x", IpcError::NotFound),
            ("", "x", IpcError::NotPermitted),
            ("f", "", IpcError::NotPermitted),
        ] {
            assert_eq!(tree.rename(from, to, |(), _| Ok(())), Err(error), "{from} {to}");
        }
        let free = |(): &mut (), _| Ok(());
        tree.rename("a", "empty", free).unwrap();
        tree.rename("f", "full/x", free).unwrap();
        tree.rename("a.c", "a.c", free).unwrap();
        assert_eq!(paths(&tree), "a.c empty empty/b full full/x");
        assert!(matches!(tree.get("full/x"), Ok(Node::File(6))));
    }

    #[test]
    fn all_that_moves_has_to_fit_and_is_paid_for_by_its_new_path() {
        let mut tree = Tree::<(), usize>::default();
        let nodes = [("a", Node::Folder(2)), ("a.c", Node::File(())), ("a/b", Node::File(()))];
        for (path, node) in nodes {
            tree.insert(path.to_owned(), node, path.len()).unwrap();
        }
        let paid = |tree: &Tree<(), usize>| {
            tree.nodes.iter().all(|(path, (_, charge))| path.len() == *charge)
        };
        let up_to = |most: usize| {
            move |charge: &mut usize, length: usize| {
                if length > most {
                    return Err(IpcError::OutOfMemory);
                }
                *charge = length;
                Ok(())
            }
        };
        assert_eq!(tree.rename("a", "folder", up_to(7)), Err(IpcError::OutOfMemory));
        assert!(paid(&tree) && tree.get("a/b").is_ok());
        let long = "x".repeat(LONGEST_PATH - 1);
        assert_eq!(tree.rename("a", &long, up_to(usize::MAX)), Err(IpcError::NameTooLong));
        assert!(paid(&tree) && tree.get("a/b").is_ok());
        for (from, to) in [("a", &long[1..]), (&long[1..], "folder"), ("folder", "f")] {
            tree.rename(from, to, up_to(LONGEST_PATH)).unwrap();
            assert!(paid(&tree), "{}", to.len());
        }
        assert!(tree.get("f/b").is_ok() && tree.len() == 3);
    }
}
