//! A component that runs nothing by itself: others call what it exports.

#![expect(unsafe_code, reason = "the generated bindings are")]

wit_bindgen::generate!({
    inline: "
        package wasmpod:test;

        world reactor {
            export add: func(left: u32, right: u32) -> u32;
            export greet: func(name: string) -> string;
        }
    ",
});

struct Reactor;

export!(Reactor);

impl Guest for Reactor {
    fn add(left: u32, right: u32) -> u32 {
        left.wrapping_add(right)
    }

    fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }
}
