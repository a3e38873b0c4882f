//! Words of a command as an expansion makes them: split at blanks, with what is a pattern in them. Pure.

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) text: String,
    /// The same with a backslash before all that is no pattern.
    pub(crate) pattern: String,
    /// Whether something in it is one.
    pub(crate) is_pattern: bool,
}

impl Field {
    fn push(&mut self, character: char, quoted: bool) {
        self.text.push(character);
        if "*?[".contains(character) && !quoted {
            self.is_pattern = true;
        }
        if character == '\\' || (quoted && "*?[]-!^".contains(character)) {
            self.pattern.push('\\');
        }
        self.pattern.push(character);
    }
}

/// Fields that are being made.
#[derive(Debug)]
pub(crate) struct Fields {
    done: Vec<Field>,
    current: Option<Field>,
    /// The last one ended at a blank: a separator that is none may follow.
    after_blank: bool,
    separators: String,
}

impl Fields {
    /// With `separators` the value of `IFS`.
    pub(crate) fn new(separators: &str) -> Self {
        let separators = separators.to_owned();
        Self { done: Vec::new(), current: None, after_blank: false, separators }
    }

    /// Appends what was written in the script.
    pub(crate) fn literal(&mut self, text: &str, quoted: bool) {
        let field = self.current.get_or_insert_default();
        self.after_blank = false;
        text.chars().for_each(|character| field.push(character, quoted));
    }

    /// Appends what something stands for, which ends fields where it holds separators.
    pub(crate) fn split(&mut self, text: &str) {
        for character in text.chars() {
            if !self.separators.contains(character) {
                self.after_blank = false;
                self.current.get_or_insert_default().push(character, false);
            } else if character.is_whitespace() {
                if let Some(field) = self.current.take() {
                    self.done.push(field);
                    self.after_blank = true;
                }
            } else if self.after_blank {
                self.after_blank = false;
            } else {
                self.done.push(self.current.take().unwrap_or_default());
            }
        }
    }

    /// The next one begins.
    pub(crate) fn next(&mut self) {
        self.done.extend(self.current.take());
        self.after_blank = false;
    }

    pub(crate) fn finish(mut self) -> Vec<Field> {
        self.next();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(separators: &str, text: &str) -> Vec<String> {
        let mut fields = Fields::new(separators);
        fields.split(text);
        fields.finish().into_iter().map(|field| field.text).collect()
    }

    #[test]
    fn blanks_end_fields_and_others_make_empty_ones() {
        assert_eq!(split(" \t\n", "  a b\n c "), ["a", "b", "c"]);
        assert_eq!(split(":", "a::b:"), ["a", "", "b"]);
        assert_eq!(split(": ", "a : b"), ["a", "b"]);
        assert_eq!(split("", "a b"), ["a b"]);
        assert!(split(" ", "  ").is_empty());
    }

    #[test]
    fn what_is_quoted_is_no_pattern() {
        let mut fields = Fields::new(" ");
        fields.literal("a*", true);
        fields.literal("*", false);
        let fields = fields.finish();
        assert_eq!((&*fields[0].pattern, fields[0].is_pattern), ("a\\**", true));
    }
}
