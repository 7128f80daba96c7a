//! Which handler answers to which name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tasker_core::{HandlerName, NameError};

use crate::bindings::Bindings;
use crate::builtin::BuiltIn;
use crate::handler::StepHandler;
use crate::surroundings::Surroundings;
use crate::typed::Registration;

/// Which handler answers to which name. The built-in ones are always there.
///
/// ```
/// use tasker_handler::{HandlerError, Registry, StepContext, Surroundings, handler_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut registry = Registry::new(Surroundings::default());
/// registry.register(handler_fn("greet", |name: String, _: StepContext| async move {
///     Ok::<_, HandlerError>(format!("Hello, {name}!"))
/// }))?;
/// let names: Vec<&str> = registry.handlers().map(|name| name.as_str()).collect();
/// assert_eq!(names, ["api", "command", "greet", "http", "noop", "transform", "wait"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Registry {
    surroundings: Arc<Surroundings>,
    built_in: BTreeMap<&'static str, Arc<dyn StepHandler>>,
    offers: BTreeMap<HandlerName, Offer>,
}

/// A handler, and what lies under the configuration of its steps.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) handler: Arc<dyn StepHandler>,
    pub(crate) underlay: Option<Arc<Value>>,
}

/// Why a handler cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The name cannot be that of a handler.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The name is taken.
    #[error("a handler is already registered as \"{0}\"; register under another name, or use `replace`")]
    Taken(HandlerName),
    /// The name is taken by a handler, and a binding wants it too.
    #[error(
        "binding \"{0}\": a handler is registered under this name; remove the binding, or rename one of them"
    )]
    Bound(HandlerName),
}

impl Registry {
    /// The built-in handlers: `http`, `api`, `command`, `transform`, `wait`, `noop`.
    pub fn new(surroundings: Surroundings) -> Self {
        let surroundings = Arc::new(surroundings);
        let built_in: BTreeMap<&'static str, Arc<dyn StepHandler>> =
            BuiltIn::ALL.iter().map(|built_in| (built_in.name(), built_in.handler(&surroundings))).collect();
        let offers = BuiltIn::NAMES.iter().filter_map(|(name, of)| {
            let offer = Offer { handler: Arc::clone(built_in.get(of.name())?), underlay: None };
            Some((HandlerName::new(name).ok()?, offer))
        });
        let offers = offers.collect();
        Self { surroundings, built_in, offers }
    }

    /// Registers a handler.
    ///
    /// # Errors
    /// If its name is taken, or cannot be the name of a handler.
    pub fn register(&mut self, registration: Registration) -> Result<(), RegisterError> {
        let name = HandlerName::new(&registration.name)?;
        if self.offers.contains_key(&name) {
            return Err(RegisterError::Taken(name));
        }
        self.offers.insert(name, Offer { handler: registration.handler, underlay: None });
        Ok(())
    }

    /// Registers a handler, in the place of one that has its name.
    ///
    /// # Errors
    /// If its name cannot be the name of a handler.
    pub fn replace(&mut self, registration: Registration) -> Result<(), RegisterError> {
        let name = HandlerName::new(&registration.name)?;
        self.offers.insert(name, Offer { handler: registration.handler, underlay: None });
        Ok(())
    }

    /// Lets names stand for built-in handlers.
    ///
    /// # Errors
    /// If a handler is registered under one of the names; then none is bound.
    pub fn bind(&mut self, bindings: Bindings) -> Result<(), RegisterError> {
        if let Some(taken) = bindings.names().find(|name| self.offers.contains_key(*name)) {
            return Err(RegisterError::Bound(taken.clone()));
        }
        for (name, binding) in bindings.0 {
            if let Some(handler) = self.built_in.get(binding.built_in.name()) {
                let underlay = Some(Arc::new(Value::Object(binding.config)));
                self.offers.insert(name, Offer { handler: Arc::clone(handler), underlay });
            }
        }
        Ok(())
    }

    /// The names that a handler answers to, in order.
    pub fn handlers(&self) -> impl Iterator<Item = &HandlerName> {
        self.offers.keys()
    }

    pub(crate) fn offer(&self, name: &HandlerName) -> Option<&Offer> {
        self.offers.get(name)
    }

    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.offers.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::NoopHandler;

    #[test]
    fn a_name_is_registered_once_unless_it_is_to_be_replaced() {
        let mut registry = Registry::new(Surroundings::default());
        registry.register(Registration::new("mine", NoopHandler)).expect("free");
        let error = registry.register(Registration::new("mine", NoopHandler)).expect_err("taken");
        assert!(error.to_string().starts_with("a handler is already registered as \"mine\""));
        assert!(registry.register(Registration::new("http", NoopHandler)).is_err());
        registry.replace(Registration::new("mine", NoopHandler)).expect("a valid name");
    }

    #[test]
    fn a_binding_offers_a_built_in_handler_under_its_name() {
        let mut registry = Registry::new(Surroundings::default());
        let bindings = Bindings::read(&json!({ "Rails::Job": { "type": "noop" } })).expect("valid");
        registry.bind(bindings.clone()).expect("free");
        assert!(registry.handlers().any(|name| *name == "Rails::Job"));
        assert_eq!(
            registry.bind(bindings).expect_err("taken").to_string().split(':').next(),
            Some("binding \"Rails")
        );
    }
}
