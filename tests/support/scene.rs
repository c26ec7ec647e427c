//! Grey pictures: a stamp as a camera would see it, and pictures that have none.

use clockface::stamp::{Modules, QUIET_ZONE, SIDE};
use clockface::{Luma, Stamp};

/// Random numbers that are the same in each run: xorshift64*, Vigna 2016.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds would begin alike, and 0 would stay 0.
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn index(&mut self, end: usize) -> usize {
        self.below(end as u64) as usize
    }

    pub fn float(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * (self.below(1 << 24) as f32 / (1 << 24) as f32)
    }

    pub fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    pub fn chance(&mut self, part: f32) -> bool {
        self.float(0.0, 1.0) < part
    }

    pub fn stamp(&mut self) -> Stamp {
        Stamp {
            instant: 1_700_000_000_000_000 + self.below(1 << 50) as i64,
            frame: self.below(10_000_000_000),
            viewers: self.below(100_000) as u32,
            stream: self.below(100_000) as u32,
            run: self.below(1 << 32) as u32,
        }
    }
}

/// A picture of its own memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Grey {
    pub width: usize,
    pub height: usize,
    pub data: Vec<u8>,
}

impl Grey {
    pub fn new(width: usize, height: usize, mut pixel: impl FnMut(usize, usize) -> u8) -> Self {
        let pixels = (0..width * height).map(|at| pixel(at % width, at / width));
        Self {
            width,
            height,
            data: pixels.collect(),
        }
    }

    pub fn luma(&self) -> Luma<'_> {
        Luma {
            data: &self.data,
            stride: self.width,
            step: 1,
            width: self.width,
            height: self.height,
        }
    }

    pub fn map(&mut self, mut pixel: impl FnMut(usize, usize, u8) -> u8) {
        for (at, value) in self.data.iter_mut().enumerate() {
            *value = pixel(at % self.width, at / self.width, *value);
        }
    }

    /// Each pixel the weighted mean of it and its neighbours, `times` over: by sqrt(times / 2) px standard deviation.
    pub fn blur(&mut self, times: usize) {
        for _ in 0..times {
            let before = self.clone();
            let at = |x: usize, y: usize| u32::from(before.data[y * before.width + x]);
            let (right, bottom) = (self.width - 1, self.height - 1);
            self.map(|x, y, _| {
                let row = |y| at(x.saturating_sub(1), y) + 2 * at(x, y) + at((x + 1).min(right), y);
                ((row(y.saturating_sub(1)) + 2 * row(y) + row((y + 1).min(bottom)) + 8) / 16) as u8
            });
        }
    }

    /// Noise with a standard deviation of `amount` levels.
    pub fn add_noise(&mut self, random: &mut Random, amount: f32) {
        self.map(|_, _, value| {
            // Four uniform numbers in -1..1 add up to a variance of 4/3.
            let sum: f32 = (0..4).map(|_| random.float(-1.0, 1.0)).sum();
            (f32::from(value) + sum * amount * 0.866) as u8
        });
    }
}

/// How a camera sees a stamp.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub width: usize,
    pub height: usize,
    /// The code's middle in px.
    pub middle: (f32, f32),
    /// A module's width in px.
    pub module: f32,
    /// By how many degrees the code is turned.
    pub turned: f32,
    /// How much smaller the code gets to the right and to the bottom, per module.
    pub tilt: (f32, f32),
    /// The brightness of dark modules, light modules, and what is around.
    pub levels: [u8; 3],
    /// The part of the light that is missing at the right end of the picture.
    pub falloff: f32,
    /// See [`Grey::blur`].
    pub blur: usize,
    /// See [`Grey::add_noise`].
    pub noise: f32,
}

impl View {
    /// Straight, sharp and whole, in the middle.
    pub fn new(width: usize, height: usize, module: f32) -> Self {
        Self {
            width,
            height,
            middle: (width as f32 / 2.0, height as f32 / 2.0),
            module,
            turned: 0.0,
            tilt: (0.0, 0.0),
            levels: [16, 235, 60],
            falloff: 0.0,
            blur: 0,
            noise: 0.0,
        }
    }

    pub fn picture(&self, modules: &Modules, random: &mut Random) -> Grey {
        let turn = self.turned.to_radians().sin_cos();
        let mut picture = Grey::new(self.width, self.height, |x, y| self.pixel(modules, turn, x, y));
        picture.blur(self.blur);
        if self.noise > 0.0 {
            picture.add_noise(random, self.noise);
        }
        picture
    }

    /// The mean of 2 × 2 places of a pixel: a sensor takes in all of it.
    fn pixel(&self, modules: &Modules, turn: (f32, f32), x: usize, y: usize) -> u8 {
        let places = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
        let light = places.map(|(u, v)| self.light(modules, turn, (x as f32 + u, y as f32 + v)));
        let light = light.iter().sum::<f32>() / 4.0;
        (light * (1.0 - self.falloff * x as f32 / self.width as f32)).round() as u8
    }

    /// What a point shows of a code that is turned by an angle of this `(sine, cosine)`.
    fn light(&self, modules: &Modules, (sine, cosine): (f32, f32), (x, y): (f32, f32)) -> f32 {
        let (x, y) = (
            (x - self.middle.0) / self.module,
            (y - self.middle.1) / self.module,
        );
        let (u, v) = (x * cosine + y * sine, y * cosine - x * sine);
        let scale = 1.0 - self.tilt.0 * u - self.tilt.1 * v;
        let quiet = QUIET_ZONE as f32;
        let zone = |along: f32| along / scale + SIDE as f32 / 2.0 + quiet;
        let (u, v) = (zone(u), zone(v));
        let end = SIDE as f32 + 2.0 * quiet;
        let [dark, light, around] = self.levels;
        if scale <= 0.0 || !(0.0..end).contains(&u) || !(0.0..end).contains(&v) {
            return f32::from(around);
        }
        let module = |along: f32| (along as usize).checked_sub(QUIET_ZONE).filter(|&at| at < SIDE);
        let is_dark = module(v)
            .zip(module(u))
            .is_some_and(|(row, column)| modules[row][column]);
        f32::from(if is_dark { dark } else { light })
    }
}
