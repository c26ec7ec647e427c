"""Plays a URL with OpenCV's VideoCapture and prints how many frames it decoded: opencv.py URL FRAMES."""

import sys

import cv2

capture = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG)
count = 0
while count < int(sys.argv[2]) and capture.read()[0]:
    count += 1
print(count)
