//! The order in which ephemeral ports are handed out.

const FIRST_EPHEMERAL: u16 = 32_768;
pub(super) const EPHEMERAL_COUNT: u32 = 60_999 - 32_768 + 1;

/// Walks through all ephemeral ports, each once in a round.
pub(super) struct EphemeralOrder {
    position: u32,
    step: u32,
}

impl EphemeralOrder {
    pub(super) fn new(seed: u64) -> Self {
        let low = u32::try_from(seed & 0xffff_ffff).expect("masked to 32 bits");
        let high = u32::try_from(seed >> 32).expect("shifted to 32 bits");
        // 28,232 is 8 * 3529: an odd step that is no multiple of 3529 meets every port.
        let mut step = (high % EPHEMERAL_COUNT) | 1;
        if step.is_multiple_of(3529) {
            step += 2;
        }
        Self { position: low % EPHEMERAL_COUNT, step }
    }

    pub(super) fn next(&mut self) -> u16 {
        let offset = u16::try_from(self.position).expect("below 28,232");
        self.position = (self.position + self.step) % EPHEMERAL_COUNT;
        FIRST_EPHEMERAL + offset
    }
}
