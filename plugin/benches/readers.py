"""Reads grey frames of WIDTH x HEIGHT from stdin with OpenCV and zbar. Prints lines of tab-separated fields: for
each frame a reader's name, what it read (empty for nothing) and ns of CPU of this thread."""

import ctypes
import ctypes.util
import sys
import time

QR_CODE = 64  # ZBAR_QRCODE of zbar.h


def opencv_readers(width, height):
    """Those of OpenCV's QR readers that can decode: in Debian's builds `QRCodeDetector` only finds codes."""
    import cv2
    import numpy

    cv2.setNumThreads(1)

    def picture(frame):
        return numpy.frombuffer(frame, numpy.uint8).reshape(height, width)

    def of_array(detector):
        return lambda frame: detector.detectAndDecode(picture(frame))[0]

    # WeChat's reader without its networks, which find and enlarge small codes: they are not part of OpenCV.
    def of_list(detector):
        return lambda frame: "".join(detector.detectAndDecode(picture(frame))[0])

    for name, of in (
        ("QRCodeDetector", of_array),
        ("QRCodeDetectorAruco", of_array),
        ("wechat_qrcode_WeChatQRCode", of_list),
    ):
        if hasattr(cv2, name) and (of is of_list or decodes(cv2)):
            yield f"OpenCV {cv2.__version__} {name.removeprefix('wechat_qrcode_')}", of(getattr(cv2, name)())


def decodes(cv2):
    """Whether `QRCodeDetector` reads a code that OpenCV itself has made."""
    if not hasattr(cv2, "QRCodeEncoder"):
        return True
    code = cv2.QRCodeEncoder.create().encode("0123456789")
    border = cv2.copyMakeBorder(code, 8, 8, 8, 8, cv2.BORDER_CONSTANT, value=255)
    large = cv2.resize(border, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    return cv2.QRCodeDetector().detectAndDecode(large)[0] == "0123456789"


def zbar_readers(width, height):
    """libzbar, asked for QR codes alone, which is all that is asked of the others."""
    library = ctypes.CDLL(ctypes.util.find_library("zbar") or "libzbar.so.0")
    for function in ("zbar_image_scanner_create", "zbar_image_create", "zbar_image_first_symbol"):
        getattr(library, function).restype = ctypes.c_void_p
    library.zbar_symbol_get_data.restype = ctypes.c_char_p
    scanner = ctypes.c_void_p(library.zbar_image_scanner_create())
    library.zbar_image_scanner_set_config(scanner, 0, 0, 0)
    library.zbar_image_scanner_set_config(scanner, QR_CODE, 0, 1)
    image = ctypes.c_void_p(library.zbar_image_create())
    library.zbar_image_set_format(image, ctypes.c_ulong(int.from_bytes(b"Y800", "little")))
    library.zbar_image_set_size(image, width, height)
    version = (ctypes.c_uint * 3)()
    library.zbar_version(*(ctypes.byref(version, 4 * at) for at in range(3)))

    def read(frame):
        library.zbar_image_set_data(image, frame, ctypes.c_ulong(len(frame)), None)
        if library.zbar_scan_image(scanner, image) <= 0:
            return ""
        symbol = ctypes.c_void_p(library.zbar_image_first_symbol(image))
        return library.zbar_symbol_get_data(symbol).decode(errors="replace").replace("\n", " ")

    yield f"zbar {'.'.join(map(str, version))}", read


def main():
    width, height = int(sys.argv[1]), int(sys.argv[2])
    frames = []
    while len(frame := sys.stdin.buffer.read(width * height)) == width * height:
        frames.append(frame)
    for readers in (opencv_readers, zbar_readers):
        try:
            for name, read in readers(width, height):
                for frame in frames:
                    before = time.thread_time_ns()
                    text = read(frame)
                    print(name, text, time.thread_time_ns() - before, sep="\t")
        except (ImportError, OSError) as error:
            print(f"{readers.__name__}: {error}", file=sys.stderr)


main()
