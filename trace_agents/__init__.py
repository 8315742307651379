"""Core"""
