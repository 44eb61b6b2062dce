"""The package book: what is known of npm packages with binaries, as data with source and date."""

from lambdapack.book.page import Delivery, Page, Registered, Role, Status
from lambdapack.book.shelf import page, pages

__all__ = ["Delivery", "Page", "Registered", "Role", "Status", "page", "pages"]
