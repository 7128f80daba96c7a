//! Writing messages of protocol buffers, one field after the other: <https://protobuf.dev/programming-guides/encoding/>.

use std::fmt;
use std::io::Write as _;

/// A message, as far as it is written. Each method adds a field, whatever its value.
#[derive(Debug, Default)]
pub(crate) struct Message(Vec<u8>);

/// How long the value of a field is.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Eight = 1,
    Delimited = 2,
    Four = 5,
}

impl Message {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// How many bytes are written.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Fields that are written already.
    pub(crate) fn fields(&mut self, of: &Self) {
        self.0.extend_from_slice(&of.0);
    }

    pub(crate) fn number(&mut self, field: u32, number: u64) {
        self.key(field, Wire::Varint);
        self.varint(number);
    }

    pub(crate) fn fixed64(&mut self, field: u32, number: u64) {
        self.key(field, Wire::Eight);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn fixed32(&mut self, field: u32, number: u32) {
        self.key(field, Wire::Four);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, Wire::Delimited);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, field: u32, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    /// A text that is put together here.
    pub(crate) fn shown(&mut self, field: u32, value: &impl fmt::Display) {
        self.part(field, |text| write!(text.0, "{value}").expect("invariant: memory takes what is written"));
    }

    /// A message within this one.
    pub(crate) fn part(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.key(field, Wire::Delimited);
        // Its length stands before it, mostly in one byte.
        self.0.push(0);
        let start = self.0.len();
        write(self);
        let end = self.0.len();
        let mut length = end - start;
        if length >= 0x80 {
            // What was written moves on by as much as the others take.
            self.varint((length >> 7) as u64);
            let more = self.0.len() - end;
            self.0[start..].rotate_right(more);
            length |= 0x80;
        }
        self.0[start - 1] = length.to_le_bytes()[0];
    }

    fn key(&mut self, field: u32, wire: Wire) {
        self.varint(u64::from(field << 3 | wire as u32));
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_as_the_description_of_the_encoding_shows_them() {
        let mut message = Message::default();
        message.number(1, 150);
        message.text(2, "testing");
        message.part(3, |part| part.number(1, 150));
        assert_eq!(message.into_bytes(), b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01");
    }

    #[test]
    fn parts_of_every_length_have_their_length_before_them() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_152] {
            let mut inner = Message::default();
            inner.bytes(2, &vec![7; length]);
            let inner = inner.into_bytes();
            let (mut nested, mut flat) = (Message::default(), Message::default());
            nested.part(16, |part| part.bytes(2, &vec![7; length]));
            flat.bytes(16, &inner);
            assert_eq!(nested.into_bytes(), flat.into_bytes(), "{length}");
        }
    }
}
