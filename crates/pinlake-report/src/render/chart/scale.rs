//! Numbers of a chart: the ends and round steps of its axis, and how a value is written.

use arrow::datatypes::Field;

use crate::render::page::{decimal, grouped, is_share, percentage};

/// What a measured column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render) enum Unit {
    /// Whole numbers.
    Count,
    /// Fractions of a whole.
    Percent,
    /// Any numbers.
    Decimal,
}

impl Unit {
    pub(super) fn of(field: &Field) -> Self {
        if is_share(field) {
            return Self::Percent;
        }
        if field.data_type().is_integer() { Self::Count } else { Self::Decimal }
    }

    /// A value as the tables write it.
    pub(super) fn exact(self, value: f64) -> String {
        match self {
            Self::Count => grouped(&format!("{value:.0}")),
            Self::Percent => percentage(value),
            Self::Decimal => decimal(value),
        }
    }

    /// A value beside its mark: as the tables write it, but for decimals, of which three digits tell enough.
    pub(super) fn read(self, value: f64) -> String {
        match self {
            Self::Decimal if value.abs() >= 100.0 => grouped(&format!("{value:.0}")),
            Self::Decimal if value.abs() >= 10.0 => trimmed((value * 10.0).round() / 10.0),
            Self::Decimal if value.abs() >= 1.0 => trimmed((value * 100.0).round() / 100.0),
            _ => self.exact(value),
        }
    }

    /// A round value of an axis.
    pub(super) fn short(self, value: f64) -> String {
        if self == Self::Percent {
            return format!("{}%", trimmed(value * 100.0));
        }
        let size = value.abs();
        let units = [(1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k")];
        match units.into_iter().find(|(least, _)| size >= *least) {
            Some((unit, name)) => format!("{}{name}", trimmed(value / unit)),
            None => decimal(value),
        }
    }

    /// A value that must be short, where an exact one stands elsewhere.
    pub(super) fn brief(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{:.0}%", value * 100.0),
            Self::Count if value.abs() < 1e4 => grouped(&format!("{value:.0}")),
            _ => self.short(value),
        }
    }
}

/// Up to three decimals, and no zeros at the end.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// An axis from a round number to a round number, with zero on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    least: f64,
    most: f64,
    step: f64,
}

impl Scale {
    /// An axis on which all values lie, in about so many steps.
    pub(super) fn over(values: impl Iterator<Item = f64>, unit: Unit, steps: f64) -> Self {
        let (least, most) = ends(values);
        // Shares that make a whole sum up to a little more.
        if unit == Unit::Percent && least >= 0.0 && most > 0.5 && most <= 1.0 + 1e-9 {
            return Self { least: 0.0, most: 1.0, step: 0.25 };
        }
        // Halves first, so that the range of the largest numbers is finite too.
        let rough = (most / steps - least / steps).max(f64::MIN_POSITIVE);
        let power = 10_f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
        let mut step = round.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(rough);
        if unit == Unit::Count {
            // There is no half endpoint.
            step = step.ceil();
        }
        Self { least: (least / step).floor() * step, most: (most / step).ceil() * step, step }
    }

    /// An axis that ends with the values.
    pub(super) fn between(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = ends(values);
        Self { least, most, step: most - least }
    }

    /// Where a value lies, from 0 to 1.
    #[expect(clippy::cast_possible_truncation, reason = "a place on paper needs no more digits")]
    pub(super) fn place(&self, value: f64) -> f32 {
        let share = value / (self.most - self.least) - self.least / (self.most - self.least);
        if share.is_finite() { share.clamp(0.0, 1.0) as f32 } else { 0.0 }
    }

    /// The round numbers along it.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let at = |number: u32| self.least + f64::from(number) * self.step;
        (0..=16).map(at).take_while(|tick| *tick <= self.most + self.step / 2.0).collect()
    }
}

/// The least and the largest value and zero; never the same.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (least, most) =
        finite.fold((0.0_f64, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    if least < most { (least, most) } else { (0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(values: &[f64], unit: Unit) -> Vec<String> {
        let scale = Scale::over(values.iter().copied(), unit, 4.0);
        scale.ticks().into_iter().map(|tick| unit.short(tick)).collect()
    }

    #[test]
    fn axes_end_on_round_numbers() {
        assert_eq!(ticks(&[0.0, 893.0], Unit::Count), ["0", "250", "500", "750", "1k"]);
        assert_eq!(ticks(&[4_870_123.0], Unit::Count), ["0", "2M", "4M", "6M"]);
        assert_eq!(ticks(&[1.0], Unit::Count), ["0", "1"]);
        assert_eq!(ticks(&[0.8], Unit::Percent), ["0%", "25%", "50%", "75%", "100%"]);
        assert_eq!(ticks(&[1.0 + 1e-15], Unit::Percent), ["0%", "25%", "50%", "75%", "100%"]);
        assert_eq!(ticks(&[0.031], Unit::Percent), ["0%", "1%", "2%", "3%", "4%"]);
        assert_eq!(ticks(&[-3.0, 6.0], Unit::Decimal), ["-5", "-2.5", "0", "2.5", "5", "7.5"]);
    }

    #[test]
    fn axes_of_odd_values_are_axes() {
        for values in
            [&[][..], &[0.0], &[f64::NAN], &[f64::INFINITY, 2.0], &[f64::MAX], &[-f64::MAX, f64::MAX]]
        {
            let scale = Scale::over(values.iter().copied(), Unit::Decimal, 4.0);
            assert!(!scale.ticks().is_empty(), "{values:?}");
            let places = values.iter().map(|value| scale.place(*value));
            assert!(places.clone().all(|place| (0.0..=1.0).contains(&place)), "{values:?}");
        }
    }

    #[test]
    fn values_are_short_on_an_axis_and_exact_at_a_mark() {
        assert_eq!(Unit::Count.short(1_250_000.0), "1.25M");
        assert_eq!(Unit::Count.short(12_500.0), "12.5k");
        assert_eq!(Unit::Count.exact(16_777_217.0), "16,777,217");
        assert_eq!(Unit::Percent.exact(0.0001), "<0.1%");
        assert_eq!(Unit::Decimal.exact(2.5), "2.5");
    }
}
