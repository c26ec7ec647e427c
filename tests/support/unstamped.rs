//! Pictures that have no stamp, or none that is whole: noise, patterns, text, other codes, damage, two at once.

use std::sync::LazyLock;

use clockface::stamp::{Modules, SIDE};
use clockface::{
    Colorimetry, Face, FrameSpec, Picture, PixelFormat, Plane, Reading, Shown, Style, TimeFormat, Wording,
};
use jiff::Timestamp;
use qrcode::types::{Color, EcLevel, Version};

use super::scene::{Grey, Random, View};

/// Each makes a picture of a size.
pub const KINDS: [fn(&mut Random, usize, usize) -> Grey; 12] = [
    noise,
    blotches,
    smooth_noise,
    checkerboard,
    stripes,
    finders,
    text,
    other_code,
    scrambled,
    covered,
    torn,
    double_exposed,
];

fn noise(random: &mut Random, width: usize, height: usize) -> Grey {
    Grey::new(width, height, |_, _| random.byte())
}

fn blotches(random: &mut Random, width: usize, height: usize) -> Grey {
    let size = 1 + random.index(8);
    let columns = width.div_ceil(size);
    let cells: Vec<u8> = (0..columns * height.div_ceil(size))
        .map(|_| random.byte() & 128)
        .collect();
    Grey::new(width, height, |x, y| cells[y / size * columns + x / size])
}

fn smooth_noise(random: &mut Random, width: usize, height: usize) -> Grey {
    let mut picture = noise(random, width, height);
    picture.blur(1 + random.index(4));
    let gain = random.float(1.0, 6.0);
    picture.map(|_, _, value| ((f32::from(value) - 128.0) * gain + 128.0) as u8);
    picture
}

fn checkerboard(random: &mut Random, width: usize, height: usize) -> Grey {
    let (across, down) = (1 + random.index(20), 1 + random.index(20));
    let light = random.byte();
    Grey::new(width, height, |x, y| {
        if (x / across + y / down) % 2 == 0 {
            0
        } else {
            light
        }
    })
}

/// Lines of random widths from 1 to 4: many of them as 1 : 1 : 3 : 1 : 1.
fn stripes(random: &mut Random, width: usize, height: usize) -> Grey {
    let mut line = Vec::new();
    while line.len() < width.max(height) {
        let value = if line.last() == Some(&0) { 255 } else { 0 };
        line.extend(std::iter::repeat_n(
            value,
            [1, 1, 1, 3][random.index(4)] * (1 + random.index(2)),
        ));
    }
    let both = random.chance(0.5);
    Grey::new(
        width,
        height,
        |x, y| if both { line[x] ^ line[y] } else { line[x] },
    )
}

/// Squares in squares as a code has them, anywhere and of several sizes.
fn finders(random: &mut Random, width: usize, height: usize) -> Grey {
    let squares: Vec<(usize, usize, usize)> = (0..3 + random.index(30))
        .map(|_| (random.index(width), random.index(height), 1 + random.index(4)))
        .collect();
    Grey::new(width, height, |x, y| {
        let ring = |&(left, top, module): &(usize, usize, usize)| {
            let off = |at: usize, start: usize| at.checked_sub(start).map(|px| (px / module).abs_diff(3));
            off(x, left)
                .zip(off(y, top))
                .map(|(u, v)| u.max(v))
                .filter(|&ring| ring <= 4)
        };
        match squares.iter().find_map(ring) {
            Some(0 | 1 | 3) => 0,
            _ => 220,
        }
    })
}

/// A part of what clocks show, dark on light or light on dark.
fn text(random: &mut Random, width: usize, height: usize) -> Grey {
    static TEXTS: LazyLock<Vec<Grey>> = LazyLock::new(|| (0..30).map(clock).collect());
    let clock = &TEXTS[random.index(TEXTS.len())];
    let (left, top) = (random.index(clock.width), random.index(clock.height));
    let inverse = if random.chance(0.5) { 255 } else { 0 };
    Grey::new(width, height, |x, y| {
        let (x, y) = ((left + x) % clock.width, (top + y) % clock.height);
        clock.data[y * clock.width + x] ^ inverse
    })
}

/// A clock's own text, in different fonts, sizes and words.
fn clock(seed: u64) -> Grey {
    const FONTS: [&str; 3] = ["Sans Bold", "Monospace", "Serif"];
    const FORMATS: [&str; 3] = ["%H:%M:%S.%3f", "%Y-%m-%dT%H:%M:%S", "HHHH8888OOOO####DDDD@@@@ %S"];
    let mut random = Random::new(seed);
    let (width, height) = (200 + random.index(300), 150 + random.index(200));
    let style = Style {
        font: FONTS[random.index(3)].into(),
        ..Style::default()
    };
    let wording = Wording {
        time_format: TimeFormat::new(FORMATS[random.index(3)]).unwrap(),
        ..Wording::default()
    };
    let reading = Reading {
        instant: Timestamp::from_microsecond(random.stamp().instant).unwrap(),
        viewers: random.index(1000) as u32,
        frame: random.below(1000),
        ..Reading::default()
    };
    let spec = FrameSpec::new(PixelFormat::Gray8, width, height, Colorimetry::default()).unwrap();
    let mut picture = Grey::new(width, height, |_, _| 0);
    let plane = Plane {
        data: &mut picture.data,
        stride: width,
    };
    let mut canvas = Picture::new(&spec, [plane]).unwrap();
    Face::new(spec, style, wording)
        .paint(&mut canvas, &mut Shown::default(), &reading)
        .unwrap();
    picture
}

/// A code that says something else: digits without a check, or letters.
fn other_code(random: &mut Random, width: usize, height: usize) -> Grey {
    let text: String = if random.chance(0.5) {
        format!("1{:056}", random.below(u64::MAX))
    } else {
        format!("HTTPS://{:020}", random.below(u64::MAX))
    };
    let code = qrcode::QrCode::with_version(text, Version::Normal(2), EcLevel::M).unwrap();
    let mut modules = Modules::default();
    for (module, color) in modules.iter_mut().flatten().zip(code.to_colors()) {
        *module = color == Color::Dark;
    }
    seen(random, width, height, &modules)
}

/// What may become of a stamp, so that nobody can read it.
const DAMAGES: [fn(&mut Random) -> Modules; 3] = [scrambled_modules, covered_modules, torn_modules];

/// A stamp that is whole, and one in the same place that is not: where a reader that follows looks first.
pub fn whole_and_damaged(random: &mut Random, width: usize, height: usize) -> (Grey, Grey) {
    let view = view(random, width, height);
    let whole = view.picture(&random.stamp().modules(), random);
    let kind = random.index(DAMAGES.len() + 1);
    let damaged = match DAMAGES.get(kind) {
        Some(damage) => {
            let modules = damage(random);
            view.picture(&modules, random)
        }
        None => exposed_twice(&view, random),
    };
    (whole, damaged)
}

fn scrambled(random: &mut Random, width: usize, height: usize) -> Grey {
    let modules = scrambled_modules(random);
    seen(random, width, height, &modules)
}

fn covered(random: &mut Random, width: usize, height: usize) -> Grey {
    let modules = covered_modules(random);
    seen(random, width, height, &modules)
}

fn torn(random: &mut Random, width: usize, height: usize) -> Grey {
    let modules = torn_modules(random);
    seen(random, width, height, &modules)
}

fn double_exposed(random: &mut Random, width: usize, height: usize) -> Grey {
    let view = view(random, width, height);
    exposed_twice(&view, random)
}

/// A stamp with the seven rows between its finders made anew: half of their 22 codewords' bits are wrong.
fn scrambled_modules(random: &mut Random) -> Modules {
    let mut modules = random.stamp().modules();
    for row in &mut modules[9..16] {
        for column in (0..SIDE).filter(|&column| column != 6) {
            row[column] = random.chance(0.5);
        }
    }
    modules
}

/// A stamp with all that is right of its left finders, and below the upper one, covered by one brightness.
fn covered_modules(random: &mut Random) -> Modules {
    let mut modules = random.stamp().modules();
    let value = random.chance(0.5);
    let from = 9 + random.index(4);
    for row in &mut modules[9..] {
        row[from..].fill(value);
    }
    modules
}

/// The upper half of one stamp and the lower half of another.
fn torn_modules(random: &mut Random) -> Modules {
    let mut modules = random.stamp().modules();
    let other = random.stamp().modules();
    let from = 11 + random.index(4);
    modules[from..].copy_from_slice(&other[from..]);
    modules
}

/// Two stamps seen through each other in equal parts, as a camera's exposure has them across a monitor's refresh.
fn exposed_twice(view: &View, random: &mut Random) -> Grey {
    let [one, other] = [random.stamp(), random.stamp()].map(|stamp| stamp.modules());
    let (mut picture, other) = (view.picture(&one, random), view.picture(&other, random));
    picture.map(|x, y, value| {
        let other = f32::from(other.data[y * other.width + x]);
        f32::midpoint(f32::from(value), other) as u8
    });
    picture
}

fn seen(random: &mut Random, width: usize, height: usize, modules: &Modules) -> Grey {
    view(random, width, height).picture(modules, random)
}

/// A view in which a stamp that is whole is read.
fn view(random: &mut Random, width: usize, height: usize) -> View {
    View {
        turned: random.float(-10.0, 10.0),
        noise: random.float(0.0, 3.0),
        ..View::new(width, height, random.float(1.8, height as f32 / 40.0))
    }
}
