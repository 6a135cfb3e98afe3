#!/bin/sh
echo 16
