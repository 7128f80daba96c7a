//! Numbers, times and texts as people read them.

use std::time::Duration;

use console::{measure_text_width, truncate_str};
use serde_json::Value;
use tasker_core::Timestamp;

/// A duration to two or three figures: `12 ms`, `1.2 s`, `2 min 05 s`, `1 h 02 min`, `3 d 04 h`.
pub(crate) fn duration(duration: Duration) -> String {
    let exact = duration.as_secs_f64();
    // What would round up to the next unit is told in it.
    let seconds =
        if exact < 59.95 { duration.as_secs() } else { (duration + Duration::from_millis(500)).as_secs() };
    match seconds {
        _ if exact < 0.9995 => format!("{:.0} ms", exact * 1000.0),
        0..60 => format!("{exact:.1} s"),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// The time of day in UTC: `12:00:01.123`.
pub(crate) fn time_of_day(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(11..23).map_or(text.clone(), str::to_owned)
}

/// The day and the time in UTC: `2026-11-23 12:00:01`.
pub(crate) fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(time)) => format!("{day} {time}"),
        _ => text,
    }
}

/// How long ago something was: `12 s ago`.
pub(crate) fn ago(time: Timestamp, now: Timestamp) -> String {
    let since = now.since(time);
    match since.as_secs() {
        0 => "now".to_owned(),
        seconds @ 1..60 => format!("{seconds} s ago"),
        _ => format!("{} ago", duration(since)),
    }
}

/// `1 step`, `4 steps`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A text on one line, without control characters: a message may hold what would move the cursor.
pub(crate) fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of a text, each without control characters.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().map(without_controls)
}

/// A line without control characters other than tabs.
pub(crate) fn without_controls(line: &str) -> String {
    line.chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

/// A word as a shell takes it.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.:/@+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if !word.contains(char::is_control) {
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    // What would move the cursor is written as escapes, which bash, zsh and ksh read.
    let escaped = |c: char| match c {
        '\\' | '\'' => format!("\\{c}"),
        c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("$'{}'", word.chars().map(escaped).collect::<String>())
}

/// A text cut to so many columns.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    truncate_str(text, columns, "…").into_owned()
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// A text padded on its right to so many columns; unlike `{:10}` it knows wide characters and colours.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// A value on one line, cut to so many columns; nothing for null and what is empty.
pub(crate) fn value(value: &Value, columns: usize) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::Object(fields) if fields.is_empty() => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    cut(&one_line(&text), columns)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_duration_has_two_or_three_figures() {
        let texts = [0, 12, 999, 1_000, 1_249, 59_900, 59_990, 125_000, 3_725_000, 277_200_000];
        let texts = texts.map(|millis| duration(Duration::from_millis(millis)));
        let expected = [
            "0 ms",
            "12 ms",
            "999 ms",
            "1.0 s",
            "1.2 s",
            "59.9 s",
            "1 min 00 s",
            "2 min 05 s",
            "1 h 02 min",
            "3 d 05 h",
        ];
        assert_eq!(texts, expected);
        assert_eq!(duration(Duration::from_micros(999_700)), "1.0 s");
    }

    #[test]
    fn times_are_told_in_utc() {
        let time = Timestamp::from_micros(1_790_000_000_123_456);
        assert_eq!(time_of_day(time), "14:13:20.123");
        assert_eq!(moment(time), "2026-09-21 14:13:20");
        assert_eq!(ago(time, time.plus(Duration::from_millis(5_400))), "5 s ago");
    }

    #[test]
    fn what_would_move_the_cursor_is_left_out() {
        assert_eq!(one_line("a\nb\u{1b}[2J c"), "a b [2J c");
        assert_eq!(lines("a\u{1b}[2J\nb").collect::<Vec<_>>(), ["a[2J", "b"]);
    }

    #[test]
    fn a_word_is_quoted_as_a_shell_needs_it() {
        let words = ["load", "日本", "", "a b", "it's", "$(rm)", "~/a;b", "a\nb'\\\u{1b}[2J"];
        let quoted = words.map(shell_word).join("\n");
        insta::assert_snapshot!(quoted, @r"
        load
        日本
        ''
        'a b'
        'it'\''s'
        '$(rm)'
        '~/a;b'
        $'a\x0ab\'\\\x1b[2J'
        ");
    }

    #[test]
    fn a_value_is_shown_on_one_line() {
        assert_eq!(value(&json!({"rows": 3}), 40), r#"{"rows":3}"#);
        assert_eq!(value(&json!({}), 40), "");
        assert_eq!(value(&json!("two\nlines"), 40), "two lines");
        assert_eq!(value(&json!({"text": "a long one"}), 12), r#"{"text":"a …"#);
    }

    #[test]
    fn padding_knows_wide_characters() {
        assert_eq!(padded("日本", 6), "日本  ");
        assert_eq!(padded("too long", 3), "too long");
    }
}
