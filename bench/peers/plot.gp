# SPDX-License-Identifier: GPL-2.0-only
# One plot of cost against size: gnuplot -e "data='…'; out='…'; title='…'; xname='…'; yname='…'; n=…" plot.gp
set terminal svg size 720,420 font "sans-serif,13" background "white"
set output out
set title title
set xlabel xname
set ylabel yname
set logscale xy
set format x "10^{%T}"
set grid xtics ytics lc rgb "#dddddd"
set key outside right top
set style data linespoints
plot for [i=0:n-1] data index i using 1:2 with linespoints lw 2.5 pt 7 ps 0.6 title columnheader(1)
