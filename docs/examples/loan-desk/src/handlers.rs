//! The handlers of the loan desk: functions from a type of ours to a type of ours.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tasker_handler::{HandlerError, Registration, StepContext, handler_fn};

/// What every task of the desk is about.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Application {
    /// Who applies.
    pub(crate) applicant: String,
    /// How much they want, in whole euros.
    pub(crate) amount: u32,
    /// What they earn in a month, in whole euros.
    pub(crate) monthly_income: u32,
}

/// What the scoring says.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Score {
    /// 0 to 100.
    pub(crate) points: u32,
}

/// What the loan would cost.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Offer {
    /// Interest per year, in basis points.
    pub(crate) rate_basis_points: u32,
    /// To be paid every month for five years, in cents.
    pub(crate) monthly_payment_cents: u64,
}

/// What the desk answers.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Decision {
    /// Whether the applicant gets the loan.
    pub(crate) granted: bool,
    /// Why.
    pub(crate) because: String,
}

/// All of them, under the names that the template uses.
pub(crate) fn handlers() -> Vec<Registration> {
    vec![
        handler_fn("score", async |application: Application, step: StepContext| {
            // The scoring service is busy the first time it is asked: the next attempt is made when it says.
            if step.attempt() == 1 {
                let busy = HandlerError::retryable("the scoring service is busy");
                return Err(busy.retry_after(Duration::from_millis(200)));
            }
            Ok(score(&application))
        }),
        handler_fn("price", async |application: Application, _: StepContext| {
            Ok::<_, HandlerError>(price(&application))
        }),
        handler_fn("decide", async |application: Application, step: StepContext| {
            let score: Score = step.dependency_as("score")?;
            let offer: Offer = step.dependency_as("price")?;
            Ok::<_, HandlerError>(decide(&application, &score, &offer))
        }),
    ]
}

fn score(application: &Application) -> Score {
    let years_of_income = f64::from(application.amount) / (f64::from(application.monthly_income) * 12.0);
    let points = (100.0 - 25.0 * years_of_income).clamp(0.0, 100.0);
    // Between 0 and 100, by the line above.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 100")]
    let points = points as u32;
    Score { points }
}

fn price(application: &Application) -> Offer {
    let rate_basis_points = if application.amount > 20_000 { 520 } else { 610 };
    let cents = u64::from(application.amount) * 100;
    let interest_cents = cents * u64::from(rate_basis_points) * 5 / 10_000;
    Offer { rate_basis_points, monthly_payment_cents: (cents + interest_cents) / 60 }
}

fn decide(application: &Application, score: &Score, offer: &Offer) -> Decision {
    let third_of_income_cents = u64::from(application.monthly_income) * 100 / 3;
    let affordable = offer.monthly_payment_cents <= third_of_income_cents;
    let granted = affordable && score.points >= 40;
    let payment = offer.monthly_payment_cents / 100;
    let because = match (affordable, score.points >= 40) {
        (true, true) => format!("{} points, and {payment} euros a month are affordable", score.points),
        (false, _) => format!("{payment} euros a month are more than a third of the income"),
        (true, false) => format!("{} points are too few", score.points),
    };
    Decision { granted, because }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(amount: u32, monthly_income: u32) -> Application {
        Application { applicant: "Ada".to_owned(), amount, monthly_income }
    }

    fn verdict(amount: u32, monthly_income: u32) -> bool {
        let application = application(amount, monthly_income);
        decide(&application, &score(&application), &price(&application)).granted
    }

    #[test]
    fn a_loan_is_granted_if_it_can_be_paid_back() {
        assert!(verdict(12_000, 3_000));
        assert!(!verdict(90_000, 2_000), "more than a third of the income");
    }
}
