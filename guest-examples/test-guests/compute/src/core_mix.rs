//! What small processors are measured by: a linked list, a matrix, a state machine, a checksum.

use crate::{Numbers, mix};

const NODES: usize = 512;
const SIDE: usize = 24;

pub(crate) fn run(rounds: u32) -> u64 {
    let mut sum = 0;
    for round in 0..rounds {
        let mut numbers = Numbers::new(u64::from(round) + 1);
        sum = mix(sum, list(&mut numbers));
        sum = mix(sum, matrix(&mut numbers));
        sum = mix(sum, states(&mut numbers));
    }
    sum
}

#[derive(Clone, Copy)]
struct Node {
    value: u16,
    next: usize,
}

const END: usize = usize::MAX;

/// Made, searched, turned round and sorted by merging, all by following links.
fn list(numbers: &mut Numbers) -> u64 {
    let mut nodes: Vec<Node> = (0..NODES)
        .map(|index| Node {
            value: (numbers.next() & 0xffff) as u16,
            next: if index + 1 < NODES { index + 1 } else { END },
        })
        .collect();
    let mut found = 0;
    for _ in 0..32 {
        let wanted = (numbers.next() & 0xffff) as u16;
        let mut at = 0;
        while at != END && nodes[at].value < wanted {
            at = nodes[at].next;
        }
        found += at.min(NODES);
    }
    let (mut head, mut turned) = (0, END);
    while head != END {
        let next = nodes[head].next;
        nodes[head].next = turned;
        (turned, head) = (head, next);
    }
    let mut at = sort(&mut nodes, turned, NODES);
    let mut crc = found as u16;
    while at != END {
        crc = checksum(crc, nodes[at].value);
        at = nodes[at].next;
    }
    u64::from(crc)
}

/// The head of the sorted list of the `count` nodes from `head` on.
fn sort(nodes: &mut [Node], head: usize, count: usize) -> usize {
    if count <= 1 {
        if head != END {
            nodes[head].next = END;
        }
        return head;
    }
    let half = count / 2;
    let mut middle = head;
    for _ in 0..half {
        middle = nodes[middle].next;
    }
    let (mut left, mut right) = (sort(nodes, head, half), sort(nodes, middle, count - half));
    let (mut first, mut last) = (END, END);
    while left != END || right != END {
        let take_left = right == END || (left != END && nodes[left].value <= nodes[right].value);
        let taken = if take_left { left } else { right };
        if take_left {
            left = nodes[left].next;
        } else {
            right = nodes[right].next;
        }
        if last == END {
            first = taken;
        } else {
            nodes[last].next = taken;
        }
        last = taken;
        nodes[last].next = END;
    }
    first
}

fn checksum(mut crc: u16, value: u16) -> u16 {
    for bit in 0..16 {
        let odd = (crc ^ (value >> bit)) & 1;
        crc >>= 1;
        if odd == 1 {
            crc ^= 0xa001;
        }
    }
    crc
}

fn matrix(numbers: &mut Numbers) -> u64 {
    let mut filled =
        || -> Vec<i32> { (0..SIDE * SIDE).map(|_| (numbers.next() & 0xff) as i32 - 128).collect() };
    let (left, right) = (filled(), filled());
    let mut product = vec![0_i32; SIDE * SIDE];
    for row in 0..SIDE {
        for column in 0..SIDE {
            let cell = (0..SIDE).map(|step| left[row * SIDE + step] * right[step * SIDE + column]);
            product[row * SIDE + column] = cell.sum::<i32>() >> 2;
        }
    }
    product.iter().fold(0, |sum, cell| mix(sum, u64::from(cell.unsigned_abs())))
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Sign,
    Digits,
    Fraction,
    Exponent,
    Invalid,
}

/// Reads what may be numbers, letter by letter.
fn states(numbers: &mut Numbers) -> u64 {
    const LETTERS: &[u8] = b"0123456789+-.e,,,, 7";
    let text: Vec<u8> = (0..2048).map(|_| LETTERS[numbers.below(LETTERS.len())]).collect();
    let mut state = State::Start;
    let mut counts = [0_u64; 6];
    for letter in text {
        state = match (state, letter) {
            (_, b',' | b' ') => State::Start,
            (State::Start, b'+' | b'-') => State::Sign,
            (State::Start | State::Sign | State::Digits, b'0'..=b'9') => State::Digits,
            (State::Start | State::Sign | State::Digits, b'.') => State::Fraction,
            (State::Fraction, b'0'..=b'9') => State::Fraction,
            (State::Digits | State::Fraction, b'e') => State::Exponent,
            (State::Exponent, b'0'..=b'9' | b'+' | b'-') => State::Exponent,
            _ => State::Invalid,
        };
        counts[state as usize] += 1;
    }
    counts.into_iter().fold(0, mix)
}
