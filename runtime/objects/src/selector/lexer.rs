//! A label selector as a row of tokens.

/// A piece of a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'text> {
    /// A key or a value; `in` and `notin` too, which are words only where an operator may stand.
    Word(&'text str),
    /// `=`, `!` and the like.
    Symbol(&'static str),
    /// Nothing more.
    End,
}

/// The longer ones first: `==` is no two `=`.
const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];

impl<'text> Token<'text> {
    /// As it is written.
    pub(super) fn text(self) -> &'text str {
        match self {
            Self::Word(word) => word,
            Self::Symbol(symbol) => symbol,
            Self::End => "",
        }
    }
}

/// The tokens of `text` and the end behind them.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    // A null ends the text, as it does for the API server.
    let mut rest = text.split('\0').next().unwrap_or_default();
    let mut tokens = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            tokens.push(Token::End);
            return tokens;
        }
        let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
        let length = match symbol {
            Some(symbol) => {
                tokens.push(Token::Symbol(symbol));
                symbol.len()
            }
            None => {
                let end = rest.find(ends_a_word).unwrap_or(rest.len());
                tokens.push(Token::Word(&rest[..end]));
                end
            }
        };
        rest = &rest[length..];
    }
}

fn ends_a_word(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | '=' | '!' | '(' | ')' | ',' | '>' | '<')
}
