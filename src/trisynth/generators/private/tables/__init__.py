"""Noisy tables of columns on public grids, trees and pools of rows that meet them."""
