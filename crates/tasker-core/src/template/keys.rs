//! The keys a template may have: their types, and which must be there.

/// A kind of mapping, and the keys it may have.
#[derive(Debug)]
pub(super) struct Section {
    /// What one is called in messages.
    pub(super) noun: &'static str,
    pub(super) keys: &'static [Key],
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: Required,
    /// What to write, where the value is of the wrong type or out of range.
    pub(super) hint: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Required {
    Yes,
    No,
}

/// The type of a value.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Version,
    Boolean,
    Whole {
        min: i64,
        max: i64,
    },
    Number {
        min: f64,
        max: f64,
    },
    Texts,
    Wholes {
        min: i64,
        max: i64,
    },
    /// A mapping whose keys are free.
    Free,
    Section(&'static Section),
    Sections(&'static Section),
    /// Overlays by environment, each a template in part.
    Environments,
}

/// As an upper bound: none that anyone would meet.
pub(super) const U32_MAX: i64 = u32::MAX as i64;

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, required: Required::No, hint: "" }
}

const fn required(name: &'static str, kind: Kind, hint: &'static str) -> Key {
    Key { name, kind, required: Required::Yes, hint }
}

const fn hinted(name: &'static str, kind: Kind, hint: &'static str) -> Key {
    Key { name, kind, required: Required::No, hint }
}

impl Section {
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

pub(super) static TEMPLATE: Section = Section {
    noun: "a template",
    keys: &[
        required("name", Kind::Text, "add \"name: NAME\""),
        key("namespace_name", Kind::Text),
        key("version", Kind::Version),
        key("description", Kind::Text),
        key("task_handler_class", Kind::Text),
        key("module_namespace", Kind::Text),
        hinted("concurrent", Kind::Boolean, "write true, or false to run one step after another"),
        key("default_dependent_system", Kind::Text),
        hinted("named_steps", Kind::Texts, "write a list of step names, or leave it out"),
        hinted("schema", Kind::Free, "write a JSON Schema, such as \"type: object\""),
        required("step_templates", Kind::Sections(&STEP), "add \"step_templates:\" with a list of steps"),
        key("environments", Kind::Environments),
        key("handler_config", Kind::Free),
        key("custom_events", Kind::Sections(&EVENT)),
    ],
};

pub(super) static STEP: Section = Section {
    noun: "a step",
    keys: &[
        required("name", Kind::Text, "add \"name: NAME\""),
        required(
            "handler_class",
            Kind::Text,
            "add \"handler_class: NAME\", such as http or Orders::ShipHandler",
        ),
        key("description", Kind::Text),
        key("dependent_system", Kind::Text),
        hinted("default_retryable", Kind::Boolean, "write true or false"),
        hinted(
            "default_retry_limit",
            Kind::Whole { min: 0, max: U32_MAX },
            "write how many attempts there may be in total",
        ),
        hinted("skippable", Kind::Boolean, "write true or false"),
        hinted("depends_on_step", Kind::Text, "write one step name; several go to \"depends_on_steps\""),
        hinted(
            "depends_on_steps",
            Kind::Texts,
            "write a list of step names; one may go to \"depends_on_step\"",
        ),
        key("handler_config", Kind::Free),
        key("custom_events", Kind::Sections(&EVENT)),
        hinted(
            "timeout_seconds",
            Kind::Whole { min: 1, max: U32_MAX },
            "write whole seconds, or leave it out for no limit of its own",
        ),
        key("queue", Kind::Text),
        hinted(
            "priority",
            Kind::Whole { min: -100, max: 100 },
            "write one from -100 to 100, higher goes first",
        ),
        hinted("retry", Kind::Section(&RETRY), "write a mapping, such as {limit: 5}"),
    ],
};

static RETRY: Section = Section {
    noun: "a retry policy",
    keys: &[
        hinted(
            "limit",
            Kind::Whole { min: 0, max: U32_MAX },
            "write how many attempts there may be in total",
        ),
        hinted("retryable", Kind::Boolean, "write true or false"),
        hinted(
            "backoff_seconds",
            Kind::Wholes { min: 0, max: U32_MAX },
            "write the waits in whole seconds, such as [1, 5, 30]",
        ),
        hinted("max_backoff_seconds", Kind::Whole { min: 1, max: U32_MAX }, "write whole seconds"),
        hinted("multiplier", Kind::Number { min: 0.01, max: 10.0 }, "write the exponent past the table"),
        hinted("jitter", Kind::Boolean, "write true or false"),
        hinted(
            "jitter_max_percentage",
            Kind::Number { min: 0.0, max: 1.0 },
            "write a fraction, such as 0.1 for 10 %",
        ),
    ],
};

static EVENT: Section = Section {
    noun: "a custom event",
    keys: &[
        required("name", Kind::Text, "add \"name: NAME\", such as order.fulfilled"),
        key("description", Kind::Text),
        hinted("fired_by", Kind::Texts, "write a list of handlers, or leave it out"),
    ],
};
