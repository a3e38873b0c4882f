//! Greets whom the arguments name, then says what the program was started with.

use std::env;

fn main() {
    let mut arguments = env::args();
    let program = arguments.next().unwrap_or_default();
    let names: Vec<String> = arguments.collect();
    let whom = if names.is_empty() { String::from("world") } else { names.join(" and ") };
    let greeting = env::var("GREETING").unwrap_or_else(|_| String::from("Hello"));
    println!("{greeting}, {whom}!");

    println!("program: {program}");
    let mut variables: Vec<(String, String)> = env::vars().collect();
    variables.sort();
    for (name, value) in variables {
        println!("{name}={value}");
    }
}
