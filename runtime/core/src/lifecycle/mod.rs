//! What should happen next to a Pod. Pure: state, event and time in; actions out.
