//! A vertical axis from zero on.

/// Fewest steps that an axis is cut into, if its largest value is at its end.
const MIN_STEPS: f64 = 5.0;

/// Where the ticks are.
#[derive(PartialEq, Debug)]
pub(super) struct Axis {
    /// From tick to tick: 1, 2 or 5 of some power of ten.
    step: f64,
    n_steps: u32,
}

impl Axis {
    /// Returns an axis that reaches as far as the largest of the values.
    pub(super) fn up_to(largest: f64) -> Self {
        if !largest.is_finite() || largest <= 0.0 {
            return Self { step: 1.0, n_steps: 1 };
        }
        let at_most = largest / MIN_STEPS;
        let power = 10_f64.powf(at_most.log10().floor());
        let step =
            [5.0, 2.0, 1.0].map(|n| n * power).into_iter().find(|&step| step <= at_most * (1.0 + 1e-9));
        let step = step.unwrap_or(power);
        let mut n_steps = 1;
        while f64::from(n_steps) * step < largest * (1.0 - 1e-9) {
            n_steps += 1;
        }
        Self { step, n_steps }
    }

    /// Returns the ticks from zero on, with what is written beside them.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        // As many as the step needs: 0.5 has one.
        let mut n_decimals = 0_usize;
        let mut last_digit = 1.0;
        while last_digit > self.step * (1.0 + 1e-9) {
            last_digit /= 10.0;
            n_decimals += 1;
        }
        (0..=self.n_steps).map(move |n| {
            let value = f64::from(n) * self.step;
            (value, format!("{value:.n_decimals$}"))
        })
    }

    /// Returns how much of the axis lies below a value, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        value / (self.step * f64::from(self.n_steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_largest_value() {
        let ticks =
            |largest| Axis::up_to(largest).ticks().map(|(_, shown)| shown).collect::<Vec<_>>().join(" ");
        assert_eq!(ticks(2.9), "0.0 0.5 1.0 1.5 2.0 2.5 3.0");
        assert_eq!(ticks(1.0), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(ticks(48.0), "0 5 10 15 20 25 30 35 40 45 50");
        assert_eq!(ticks(0.07), "0.00 0.01 0.02 0.03 0.04 0.05 0.06 0.07");
        assert_eq!(ticks(0.0), "0 1");
        assert_eq!(ticks(f64::NAN), "0 1");
    }

    #[test]
    fn a_share_is_that_of_the_whole_axis() {
        assert_eq!(Axis::up_to(48.0).share(25.0).to_string(), "0.5");
        assert_eq!(Axis::up_to(1.0).share(0.0).to_string(), "0");
    }
}
